"""What an engine reads before it begins: the run's facts, and what the thread said before."""

from dataclasses import dataclass, replace
from typing import Final

from dayfly.context.execution import UserExecutionContext
from dayfly.errors import Superseded
from dayfly.history.reader import newest_pieces
from dayfly.log.fold import LogStep
from dayfly.log.messages import Message
from dayfly.log.reader import steps_of
from dayfly.log.resumption import Resumption, resumption_of
from dayfly.store import keys
from dayfly.store.retry import retry_call
from dayfly.store.rows import LeaseRow, RunRow, ThreadRow
from dayfly.store.table import Table

HISTORY_TURNS: Final = 20
HISTORY_CHARS: Final = 100_000
"""How much of the thread the model is given: at most this many turns and about this many characters."""
READ_S: Final = 5.0
"""How long the reading of the history is repeated."""


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
    """Reads the facts. Raises `Superseded` where they show that this invocation is late: the run is over, or another
    attempt is the present one. What they do not show, the first append will."""
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


async def read_history(table: Table, thread: ThreadRow) -> tuple[Message, ...]:
    """The thread's latest turns, oldest first, within the bounds; whole turns only."""
    return await retry_call(lambda: _latest_turns(table, thread), patience_s=READ_S)


async def _latest_turns(table: Table, thread: ThreadRow) -> tuple[Message, ...]:
    turns: list[tuple[Message, ...]] = []
    chars = 0
    async for _, messages in newest_pieces(table, thread, limit=HISTORY_TURNS):
        chars += sum(len(str(message)) for message in messages)
        if turns and chars > HISTORY_CHARS:
            break
        turns.append(messages)
    return tuple(message for turn in reversed(turns) for message in turn)
