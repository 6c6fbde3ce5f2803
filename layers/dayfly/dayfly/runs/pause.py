"""Waiting for the user: the attempt ends, and nothing waits in Lambda."""

from collections.abc import Sequence
from dataclasses import replace

from dayfly.errors import Superseded
from dayfly.log.batch import Batch
from dayfly.runs.end import LeaseIs
from dayfly.runs.lease import approval_lease
from dayfly.store.rows import LeaseRow, LogRow, RunRow
from dayfly.store.table import Action, ConditionsFailed, Matches, Put


class Pause:
    """The companion of `approval_requested`: the run's open calls, and a lease that is due when they expire, in one
    transaction with the records. `run` and `lease` are as they will stand, once it is committed."""

    def __init__(self, run: RunRow, lease: LeaseRow, *, calls: Sequence[str], expires: int, lease_is: LeaseIs) -> None:
        self.run = replace(run, pending=tuple(calls), answers=(), answered=0)
        self.lease = approval_lease(lease, nonce="", expires=expires)
        self._lease_is = lease_is

    async def actions(self, row: LogRow, batch: Batch) -> tuple[Action, ...]:
        """The run's open calls, and the lease."""
        self.lease = replace(self.lease, nonce=row.nonce)
        as_read = Matches(attempt=self.run.attempt, first_seq=self.run.first_seq)
        return Put(self.run, as_read), Put(self.lease, self._lease_is())

    def lost(self, failed: ConditionsFailed, actions: tuple[Action, ...]) -> None:
        """Another has taken over."""
        raise Superseded("the run or its lease is another's") from failed
