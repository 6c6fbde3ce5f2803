"""The port that invokes engines."""

from dataclasses import dataclass
from typing import Protocol

from dayfly.context.run_ref import OfRun, RunRef
from dayfly.store.rows import RunRow


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineCall(OfRun):
    """The payload of an engine's invocation: ids only. The engine reads the text, and all else that may be large or
    secret, from the table."""

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
        """Invokes an engine, at least once: it may start twice, or late. Raises `Unsettled`, or `PortError`."""

    async def warm_up(self, *, user_id: str, tenant_id: str) -> None:
        """Has an execution environment started for this user, best effort. Raises `Unsettled`, or `PortError`."""
