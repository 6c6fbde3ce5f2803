"""The first append of an attempt: it proves that this engine is the one, and claims the run's lease with it."""

from dayfly.clock import Clock
from dayfly.errors import Superseded
from dayfly.log.batch import Batch
from dayfly.runs.lease import held_lease, not_begun
from dayfly.store.rows import LeaseRow, LogRow, RunRow, ThreadRow, ThreadState
from dayfly.store.table import Action, Check, ConditionsFailed, Matches, Put


class Begin:
    """The companion of an attempt's first record: the run's attempt and `first_seq` are still this engine's, the thread
    is live, and the lease becomes this engine's in the same transaction. So a duplicated or late invocation loses here
    and does nothing, and "begun" and "held" are one."""

    def __init__(self, clock: Clock, *, run: RunRow, thread: ThreadRow, lease: LeaseRow) -> None:
        self.claimed_at = clock.monotonic()
        """When the claim was last sent, in seconds of the monotonic clock: the lease holds from then on at least."""
        self._clock = clock
        self._run = run
        self._thread = thread
        self._lease = lease

    async def actions(self, row: LogRow, batch: Batch) -> tuple[Action, ...]:
        """Checks and claim."""
        run = self._run
        self.claimed_at = self._clock.monotonic()
        return (
            Check(run.key, Matches(attempt=run.attempt, first_seq=run.first_seq)),
            Check(self._thread.key, Matches(state=ThreadState.LIVE, active_run=run.run_id)),
            Put(held_lease(self._lease, nonce=row.nonce, now=row.at), Matches(**not_begun(run))),
        )

    def lost(self, failed: ConditionsFailed, actions: tuple[Action, ...]) -> None:
        """The run has moved on without this engine."""
        raise Superseded("the run's attempt, thread or lease is not as this engine was told") from failed
