"""Beginning an attempt: what its engine reads first, and the first append, which claims the run's lease."""

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
    """The run, its thread and its lease as the engine read them, and the steps that earlier attempts have logged."""

    run: RunRow
    thread: ThreadRow
    lease: LeaseRow
    steps: tuple[LogStep, ...] = ()

    @property
    def resumption(self) -> Resumption:
        """What this attempt continues from."""
        return resumption_of(self.steps)

    def run_after(self, elapsed_ms: int) -> RunRow:
        """The run with this attempt's time added to `spent_ms`."""
        return replace(self.run, spent_ms=self.run.spent_ms + elapsed_ms)


async def read_run(table: Table, context: UserExecutionContext) -> RunFacts:
    """Reads run, thread and lease, and for a later attempt the log; never the tail alone: an engine writes at the seq
    that it was given.

    Raises:
        Superseded: The run, its thread or its lease is gone, or another attempt is the present one. What changes after
            this read makes the first append fail.
        Unsettled: The table did not answer.
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
    """The engine holds the lease. `at`: the monotonic clock in seconds when the claim was sent; the lease was written
    after that."""

    at: float


@dataclass(frozen=True, slots=True)
class Begin:
    """The transition with an attempt's first record. It requires that the run's attempt and `first_seq` are this
    engine's, that the thread is live with this run active, and that no engine has begun the attempt; it claims the
    lease. So a duplicated or late invocation fails here and does nothing, and a run that was begun is a run whose lease
    is held."""

    clock: Clock
    facts: RunFacts

    async def plan(self, row: LogRow, batch: Batch) -> Plan[Claim]:
        """Checks run and thread, and writes the held lease."""
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
        """Raises `Superseded`: another engine or recovery has changed the run, its thread or its lease."""
        raise Superseded(f"the run's {', '.join(found)} is not as this engine was told")
