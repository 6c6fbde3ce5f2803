"""Waiting for the user: the attempt ends, and nothing waits in Lambda."""

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

    `run` and `lease` are as they were read; `call_ids` are the open calls; `expires` is in milliseconds since the
    epoch; `lease_is` is what the lease must still be.
    """

    run: RunRow
    lease: LeaseRow
    call_ids: tuple[str, ...]
    expires: int
    lease_is: LeaseCondition

    async def plan(self, row: LogRow, batch: Batch) -> Plan[Paused]:
        """The run's open calls, and the lease."""
        run = replace(self.run, pending=self.call_ids, answers=(), answered=0)
        lease = approval_lease(self.lease, nonce=row.nonce, expires=self.expires)
        as_read = Matches(attempt=run.attempt, first_seq=run.first_seq)
        return Plan({"run": Put(run, as_read), "lease": Put(lease, self.lease_is())}, Paused(run, lease))

    def lost(self, found: Lost) -> None:
        """Another has taken over."""
        raise Superseded(f"the run's {', '.join(found)} is another's")
