"""The first append of an attempt: it proves that this engine is the one, and claims the run's lease with it."""

from dataclasses import replace
from typing import Final

from dayfly.errors import Superseded
from dayfly.ports.table import Action, Check, ConditionsFailed, Matches, Put
from dayfly.publisher.batch import Batch
from dayfly.runlog.rows import LeaseRow, LeaseState, LogRow, RunRow, ThreadRow, ThreadState

LEASE_MS: Final = 20_000
"""How long a lease holds without being renewed."""


class Beginning:
    """The companion of an attempt's first record: the run's attempt and `first_seq` are still this engine's, the thread
    is live, and the lease becomes this engine's in the same transaction. So a duplicated or late invocation loses here
    and does nothing, and "begun" and "held" are one."""

    def __init__(self, *, run: RunRow, thread: ThreadRow, lease: LeaseRow) -> None:
        self._run = run
        self._thread = thread
        self._lease = lease

    async def actions(self, row: LogRow, batch: Batch) -> tuple[Action, ...]:
        """Checks and claim."""
        run = self._run
        held = replace(self._lease, state=LeaseState.HELD, nonce=row.nonce, due=row.at + LEASE_MS)
        return (
            Check(run.key, Matches(attempt=run.attempt, first_seq=run.first_seq)),
            Check(self._thread.key, Matches(state=ThreadState.LIVE, active_run=run.run)),
            Put(held, Matches(attempt=run.attempt, first_seq=run.first_seq, state=LeaseState.WAITING)),
        )

    def lost(self, failed: ConditionsFailed, actions: tuple[Action, ...]) -> None:
        """The run has moved on without this engine."""
        raise Superseded("the run's attempt, thread or lease is not as this engine was told") from failed
