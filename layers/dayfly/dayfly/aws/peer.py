"""Whose connection an event of the gateway is about."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Peer:
    """The connection, and the identity that the authorizer gave it. Never anything from a message's body."""

    connection_id: str
    user_id: str
    tenant_id: str

    @classmethod
    def of(cls, event: Mapping[str, Any]) -> "Peer":
        """Reads the event's request context. Raises `KeyError` where there is no authorizer's context: then the stage
        was deployed without one, and nobody may be served."""
        context = event["requestContext"]
        authorizer = context["authorizer"]
        return cls(context["connectionId"], authorizer["user"], authorizer["tenant"])
