"""Who sent a frame."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """The authorizer's identity and the connection of the frame; never taken from a message body. `invocation_id` is
    this Lambda invocation's request id."""

    user_id: str
    tenant_id: str
    connection_id: str
    invocation_id: str
