"""Breaking how the run log is written and read."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, Final

from dayfly.admission import attaching
from dayfly.context import ids
from dayfly.engine.beginning import Beginning
from dayfly.errors import Superseded, Unsettled
from dayfly.ports.table import Action, ConditionsFailed, Put, Table
from dayfly.protocol.events import AgentResumed, AnyPayload, Event, ToolExecuting
from dayfly.publisher import batch, log_writer, resuming, transcript
from dayfly.publisher.batch import Batch, Emitted
from dayfly.publisher.bridge import WebSocketBridge
from dayfly.publisher.log_writer import Committed, Companion, LogWriter
from dayfly.publisher.settle import settle
from dayfly.runlog.history import Step
from dayfly.runlog.journal import Noted
from dayfly.runlog.leasing import held_lease
from dayfly.runlog.rows import LogRow
from tests.simulation.dice import replaced
from tests.simulation.variants.variant import Broken
from tests.simulation.weather import Fate


@contextmanager
def post_before_append() -> Iterator[None]:
    """A batch is published first, and appended then."""
    commit = WebSocketBridge._commit_batch

    async def early(self: WebSocketBridge, taken: list[Any]) -> None:
        numbered = self._writer._number(tuple(waiting.item for waiting in taken))
        row = await self._writer._row(numbered, ordinal=0, at=0)
        self._delivery.publish(Committed(row, numbered))
        await commit(self, taken)

    with replaced(WebSocketBridge, "_commit_batch", early):
        yield


@contextmanager
def unconditional_append() -> Iterator[None]:
    """A record is written whether or not there is one."""
    with replaced(log_writer, "Absent", lambda: None):
        yield


@contextmanager
def seq_from_the_tail() -> Iterator[None]:
    """An engine begins behind the tail of the log, wherever that is, and takes the lease."""
    append = LogWriter.append

    async def behind(self: LogWriter, items: tuple[Emitted, ...], companion: Companion | None = None) -> Committed:
        if isinstance(companion, Beginning):
            tail = await transcript.tail_of(self._table, user=self.position.user, run=self.position.run)
            if tail is None or tail.outcome is not None:
                raise Superseded("the run has ended")
            self.next_seq = tail.last + 1
        return await append(self, items, companion)

    async def taken(self: Beginning, row: LogRow, batch: Batch) -> tuple[Action, ...]:
        return (Put(held_lease(self._lease, nonce=row.nonce, now=row.at)),)

    with replaced(LogWriter, "append", behind), replaced(Beginning, "actions", taken):
        yield


@contextmanager
def no_nonce_check() -> Iterator[None]:
    """A record that is there is another's: a retried Put that had succeeded counts as superseded."""

    async def forgetful(table: Table, *actions: Action, token: str | None = None) -> None:
        try:
            await settle(table, *actions, token=token)
        except ConditionsFailed as failed:
            others = {
                place: replace(row, nonce="another's") if isinstance(row, LogRow) else row
                for place, row in failed.found.items()
            }
            raise ConditionsFailed(others) from failed

    with replaced(log_writer, "settle", forgetful):
        yield


@contextmanager
def new_record_at_each_try() -> Iterator[None]:
    """What is unsettled is not repeated byte for byte, but under a new name: two tries are two writers."""
    append = LogWriter.append

    async def hasty(table: Table, *actions: Action, token: str | None = None) -> None:
        await settle(table, *actions, token=token, patience_s=0.0)

    async def again(self: LogWriter, items: tuple[Emitted, ...], companion: Companion | None = None) -> Committed:
        while True:
            try:
                return await append(self, items, companion)
            except Unsettled:
                self.nonce = ids.new_nonce()
                await asyncio.sleep(0.05)

    with replaced(log_writer, "settle", hasty), replaced(LogWriter, "append", again):
        yield


@contextmanager
def tool_before_its_commit() -> Iterator[None]:
    """A tool starts while its `tool_executing` is still on its way."""
    emit = WebSocketBridge.emit

    async def eager(self: WebSocketBridge, payload: AnyPayload, *, message: Noted | None = None) -> Any:
        if isinstance(payload, ToolExecuting):
            task = asyncio.ensure_future(emit(self, payload, message=message))
            task.add_done_callback(lambda done: done.cancelled() or done.exception())
            await asyncio.sleep(0)
            return None
        return await emit(self, payload, message=message)

    with replaced(WebSocketBridge, "emit", eager):
        yield


@contextmanager
def replay_after_the_cursor() -> Iterator[None]:
    """A replay starts at the first batch whose key is beyond the cursor."""

    async def short(table: Table, *, user: str, run: str, seq: int) -> AsyncIterator[tuple[LogRow, ...]]:
        span = transcript._span(user, run, first=seq + 1, last=transcript.LAST_SEQ)
        rows = await table.query(span, LogRow, limit=100)
        if rows:
            yield rows

    with replaced(attaching, "pages_after", short):
        yield


@contextmanager
def void_text_is_kept() -> Iterator[None]:
    """What `discard_after` voids stays in the history."""
    step_of = batch.step_of

    def deaf(event: Event) -> tuple[Step, ...]:
        return () if isinstance(event.payload, AgentResumed) else step_of(event)

    with replaced(batch, "step_of", deaf), replaced(transcript, "step_of", deaf):
        yield


@contextmanager
def nothing_is_void() -> Iterator[None]:
    """A resumed run does not say which text is void."""
    with replaced(resuming, "void_after", lambda steps: None):
        yield


ALL: Final = (
    Broken(post_before_append, 0),
    Broken(unconditional_append, 2, fates={Fate.LOST, Fate.LATE}),
    Broken(seq_from_the_tail, 0, chances={"invocation_twice"}),
    Broken(no_nonce_check, 7, fates={Fate.LOST, Fate.LATE}),
    Broken(new_record_at_each_try, 2, fates={Fate.LOST, Fate.LATE}),
    Broken(tool_before_its_commit, 0),
    Broken(replay_after_the_cursor, 2),
    Broken(void_text_is_kept, 1),
    Broken(nothing_is_void, 11, fates={Fate.DIES_AFTER, Fate.DIES_BEFORE}),
)
