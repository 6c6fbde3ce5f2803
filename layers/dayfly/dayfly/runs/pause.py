"""Waiting for the user's approval: the attempt ends, so no invocation runs meanwhile."""

from dataclasses import dataclass, replace

from dayfly.errors import Superseded
from dayfly.log.batch import Batch
from dayfly.log.writer import Lost, Plan
from dayfly.runs.lease import LeaseCondition, approval_lease
from dayfly.store.rows import LeaseRow, LogRow, RunRow
from dayfly.store.table import Matches, Put


@dataclass(frozen=True, slots=True)
class Paused:
    """The run and its lease while it waits."""

    run: RunRow
    lease: LeaseRow


@dataclass(frozen=True, slots=True, kw_only=True)
class Pause:
    """The transition with `approval_requested`: the run's open calls, and a lease that is due when they expire.

    Args:
        run, lease: As they were read.
        call_ids: The open calls.
        expires: Milliseconds since the epoch.
        lease_is: What the lease must still be.
    """

    run: RunRow
    lease: LeaseRow
    call_ids: tuple[str, ...]
    expires: int
    lease_is: LeaseCondition

    async def plan(self, row: LogRow, batch: Batch) -> Plan[Paused]:
        """The run with its open calls, and the lease that is due at `expires`."""
        run = replace(self.run, pending=self.call_ids, answers=(), answered=0)
        lease = approval_lease(self.lease, nonce=row.nonce, expires=self.expires)
        as_read = Matches(attempt=run.attempt, first_seq=run.first_seq)
        return Plan({"run": Put(run, as_read), "lease": Put(lease, self.lease_is())}, Paused(run, lease))

    def lost(self, found: Lost) -> None:
        """Raises `Superseded`: another engine or recovery has changed the run or its lease."""
        raise Superseded(f"the run's {', '.join(found)} is another's")
