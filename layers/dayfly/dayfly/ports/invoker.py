"""The way to an engine."""

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineCall:
    """What an engine is told: names only. The text, and all else that may be large or secret, it reads itself."""

    user: str
    tenant: str
    thread: str
    run: str
    request: str
    attempt: int
    first_seq: int


class Invoker(Protocol):
    """Invokes the engine function asynchronously, in the isolation that the deployment has chosen."""

    async def start(self, call: EngineCall) -> None:
        """Asks for an engine. At least once: it may start twice, or late. Raises `Unsettled`, or `PortError`."""

    async def warm_up(self, *, user: str, tenant: str) -> None:
        """Asks for an environment to be ready for this user. Best effort. Raises `Unsettled`, or `PortError`."""
