"""The way to an engine."""

from dataclasses import dataclass
from typing import Protocol

from dayfly.store.rows import RunRow


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineCall:
    """What an engine is told: names only. The text, and all else that may be large or secret, it reads itself."""

    user: str
    tenant: str
    thread: str
    run: str
    request: str
    agent: str
    attempt: int
    first_seq: int

    @classmethod
    def of(cls, run: RunRow) -> "EngineCall":
        """The call for the run's present attempt."""
        return cls(
            user=run.user,
            tenant=run.tenant,
            thread=run.thread,
            run=run.run,
            request=run.request,
            agent=run.agent,
            attempt=run.attempt,
            first_seq=run.first_seq,
        )


class Invoker(Protocol):
    """Invokes the engine function asynchronously, in the isolation that the deployment has chosen."""

    async def start(self, call: EngineCall) -> None:
        """Asks for an engine. At least once: it may start twice, or late. Raises `Unsettled`, or `PortError`."""

    async def warm_up(self, *, user: str, tenant: str) -> None:
        """Asks for an environment to be ready for this user. Best effort. Raises `Unsettled`, or `PortError`."""
