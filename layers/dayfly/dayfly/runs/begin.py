"""Beginning an attempt: what its engine reads first, and the first append, which proves that this engine is the one and
claims the run's lease with it."""

from dataclasses import dataclass, replace

from dayfly.clock import Clock
from dayfly.context.execution import UserExecutionContext
from dayfly.errors import Superseded
from dayfly.log.batch import Batch
from dayfly.log.fold import LogStep, Resumption, resumption_of
from dayfly.log.reader import steps_of
from dayfly.log.writer import Lost, Plan
from dayfly.runs.lease import held_lease, not_begun
from dayfly.store import keys
from dayfly.store.retry import retry_call
from dayfly.store.rows import LeaseRow, LogRow, RunRow, ThreadRow, ThreadState
from dayfly.store.table import Check, Matches, Put, Table


@dataclass(frozen=True, slots=True)
class RunFacts:
    """The run, its thread and its lease, as they stood when the engine looked; and what earlier attempts logged."""

    run: RunRow
    thread: ThreadRow
    lease: LeaseRow
    steps: tuple[LogStep, ...] = ()

    @property
    def resumption(self) -> Resumption:
        """Where this attempt goes on."""
        return resumption_of(self.steps)

    def run_after(self, elapsed_ms: int) -> RunRow:
        """The run with this attempt's time counted."""
        return replace(self.run, spent_ms=self.run.spent_ms + elapsed_ms)


async def read_run(table: Table, context: UserExecutionContext) -> RunFacts:
    """Reads the facts, and never the tail of the log: an engine writes at the seq that it was told, or not at all.

    Raises `Superseded` where they show that this invocation is late: the run is over, or another attempt is the present
    one. What they do not show, the first append will.
    """
    run_key = keys.run_key(context.user_id, context.thread_id, context.run_id)
    thread_key = keys.thread_key(context.user_id, context.thread_id)
    lease_key = keys.lease_key(context.user_id, context.run_id)
    found = await retry_call(lambda: table.get_many((run_key, thread_key, lease_key)))
    run, thread, lease = found.get(run_key), found.get(thread_key), found.get(lease_key)
    if not isinstance(run, RunRow) or not isinstance(thread, ThreadRow) or not isinstance(lease, LeaseRow):
        raise Superseded("the run, its thread or its lease is gone")
    if (run.attempt, run.first_seq) != (context.attempt, context.first_seq):
        raise Superseded(f"attempt {context.attempt} is not the present one")
    steps: tuple[LogStep, ...] = ()
    if run.attempt > 1:
        steps = await retry_call(lambda: steps_of(table, user_id=run.user_id, run_id=run.run_id))
    return RunFacts(run, thread, lease, steps)


@dataclass(frozen=True, slots=True)
class Claim:
    """The lease is this engine's. `at`: when the claim was sent, in seconds of the monotonic clock; the lease holds
    from then on at least."""

    at: float


@dataclass(frozen=True, slots=True)
class Begin:
    """The transition with an attempt's first record: the run's attempt and `first_seq` are still this engine's, the
    thread is live, and the lease becomes this engine's in the same transaction. So a duplicated or late invocation
    loses here and does nothing, and "begun" and "held" are one."""

    clock: Clock
    facts: RunFacts

    async def plan(self, row: LogRow, batch: Batch) -> Plan[Claim]:
        """Checks and claim."""
        run, thread = self.facts.run, self.facts.thread
        claim = Claim(self.clock.monotonic())
        held = held_lease(self.facts.lease, nonce=row.nonce, now=row.at)
        return Plan(
            {
                "run": Check(run.key, Matches(attempt=run.attempt, first_seq=run.first_seq)),
                "thread": Check(thread.key, Matches(state=ThreadState.LIVE, active_run=run.run_id)),
                "lease": Put(held, Matches(**not_begun(run))),
            },
            claim,
        )

    def lost(self, found: Lost) -> None:
        """The run has moved on without this engine."""
        raise Superseded(f"the run's {', '.join(found)} is not as this engine was told")
