"""The way to an engine."""

from dataclasses import dataclass
from typing import Protocol

from dayfly.context.run_ref import OfRun, RunRef
from dayfly.store.rows import RunRow


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineCall(OfRun):
    """What an engine is told: names only. The text, and all else that may be large or secret, it reads itself."""

    ref: RunRef
    request_id: str
    agent_name: str
    attempt: int
    first_seq: int

    @classmethod
    def of(cls, run: RunRow) -> "EngineCall":
        """The call for the run's present attempt."""
        return cls(
            ref=run.ref,
            request_id=run.request_id,
            agent_name=run.agent_name,
            attempt=run.attempt,
            first_seq=run.first_seq,
        )


class Invoker(Protocol):
    """Invokes the engine function asynchronously, in the isolation that the deployment has chosen."""

    async def start(self, call: EngineCall) -> None:
        """Asks for an engine. At least once: it may start twice, or late. Raises `Unsettled`, or `PortError`."""

    async def warm_up(self, *, user_id: str, tenant_id: str) -> None:
        """Asks for an environment to be ready for this user. Best effort. Raises `Unsettled`, or `PortError`."""
