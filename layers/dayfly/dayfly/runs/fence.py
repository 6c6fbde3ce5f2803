"""Opening a run's next attempt: from then on no engine of an earlier one can write."""

from dataclasses import replace

from dayfly.errors import Superseded
from dayfly.log.batch import Batch
from dayfly.runs.end import LeaseIs
from dayfly.runs.lease import first_lease
from dayfly.store.rows import LogRow, RunRow
from dayfly.store.table import Action, ConditionsFailed, Matches, Put


class OpenAttempt:
    """The companion of `agent_resumed`: the run's next attempt and its lease, in one transaction with the record. The
    next engine writes at the seq after it; an engine of an earlier attempt finds that seq taken, or the one before.

    `run` is the row as it was read, `later` the same with what else becomes of it; `lease_is` is what the lease must
    still be.
    """

    def __init__(self, run: RunRow, *, lease_is: LeaseIs, later: RunRow | None = None) -> None:
        self._run = run
        self._later = later or run
        self._lease_is = lease_is
        self.opened: RunRow | None = None
        """The run as its next attempt has it, once the transaction is committed."""

    async def actions(self, row: LogRow, batch: Batch) -> tuple[Action, ...]:
        """The run's next attempt, and the lease that waits for its engine."""
        run = self._run
        self.opened = replace(
            self._later, attempt=run.attempt + 1, first_seq=batch.last + 1, pending=(), answers=(), answered=0
        )
        as_read = Matches(attempt=run.attempt, first_seq=run.first_seq, answered=run.answered)
        return Put(self.opened, as_read), Put(first_lease(self.opened, now=row.at), self._lease_is())

    def lost(self, failed: ConditionsFailed, actions: tuple[Action, ...]) -> None:
        """Somebody else looks after the run."""
        raise Superseded("the run or its lease is not as it was") from failed
