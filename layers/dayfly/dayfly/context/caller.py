"""Who sent a frame."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """The authorizer's identity and the connection of the frame; never taken from a message body. `invocation_id` is
    this Lambda invocation's request id; `claims` are those of the token that agents may know, as `choose_claims` wrote
    them."""

    user_id: str
    tenant_id: str
    connection_id: str
    invocation_id: str
    claims: str | None = field(default=None, repr=False)
