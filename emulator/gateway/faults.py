"""Where faults are put in: the gateway asks here before each step that can go wrong on AWS."""

from typing import Literal, Protocol

PostFault = Literal["gone", "throttled"]


class Faults(Protocol):
    """What shall go wrong next. Every method names the one connection, route or function concerned."""

    async def on_post(self, connection_id: str) -> PostFault | None:
        """Answer a post with 410 or 429, or delay it by taking time."""
        ...

    async def on_integration(self, route_key: str, connection_id: str) -> None:
        """Delay the invocation of a route by taking time."""
        ...

    def loses_disconnect(self, connection_id: str) -> bool:
        """Whether `$disconnect` is never delivered; AWS calls its delivery best-effort."""
        ...


class NoFaults:
    """Nothing goes wrong."""

    async def on_post(self, connection_id: str) -> PostFault | None:
        """No fault."""
        return None

    async def on_integration(self, route_key: str, connection_id: str) -> None:
        """No delay."""

    def loses_disconnect(self, connection_id: str) -> bool:
        """Delivered."""
        return False
