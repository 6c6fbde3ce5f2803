"""Breaking how the run log is written and read."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, Final

from dayfly.agents.sdk.protocol import AgentEvent, ToolEnded, ToolProgress
from dayfly.context import ids
from dayfly.delivery.bridge import WebSocketBridge
from dayfly.engine.narrator import Narrator
from dayfly.errors import Superseded, Unsettled
from dayfly.log import batch, reader, writer
from dayfly.log.batch import Batch, Emitted
from dayfly.log.fold import LogStep, Reasoned, Said
from dayfly.log.journal import JournalMessage
from dayfly.log.writer import Committed, LogWriter, Plan, Transition
from dayfly.protocol.events import AgentReasoning, AgentResumed, AgentRetrying, AnyPayload, Event, ToolExecuting
from dayfly.router import attach
from dayfly.runs import resume
from dayfly.runs.begin import Begin, Claim
from dayfly.runs.lease import held_lease
from dayfly.store.retry import retry_write
from dayfly.store.rows import LogRow
from dayfly.store.table import Action, ConditionsFailed, Put, Table
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
        self._broadcast.publish(Committed(row, numbered, None))
        await commit(self, taken)

    with replaced(WebSocketBridge, "_commit_batch", early):
        yield


@contextmanager
def unconditional_append() -> Iterator[None]:
    """A record is written whether or not there is one."""
    with replaced(writer, "Absent", lambda: None):
        yield


@contextmanager
def seq_from_the_tail() -> Iterator[None]:
    """An engine begins behind the tail of the log, wherever that is, and takes the lease."""
    append = LogWriter.append

    async def behind(self: LogWriter, items: tuple[Emitted, ...], transition: Transition[Any]) -> Committed[Any]:
        if isinstance(transition, Begin):
            tail = await reader.tail_of(self._table, user_id=self.position.user_id, run_id=self.position.run_id)
            if tail is None or tail.outcome is not None:
                raise Superseded("the run has ended")
            self.next_seq = tail.last + 1
        return await append(self, items, transition)

    async def taken(self: Begin, row: LogRow, batch: Batch) -> Plan[Claim]:
        held = held_lease(self.facts.lease, nonce=row.nonce, now=row.at)
        return Plan({"lease": Put(held)}, Claim(self.clock.monotonic()))

    with replaced(LogWriter, "append", behind), replaced(Begin, "plan", taken):
        yield


@contextmanager
def no_nonce_check() -> Iterator[None]:
    """A record that is there is another's: a retried Put that had succeeded counts as superseded."""

    async def forgetful(table: Table, *actions: Action, token: str | None = None) -> None:
        try:
            await retry_write(table, *actions, token=token)
        except ConditionsFailed as failed:
            others = {
                place: replace(row, nonce="another's") if isinstance(row, LogRow) else row
                for place, row in failed.found.items()
            }
            raise ConditionsFailed(others) from failed

    with replaced(writer, "retry_write", forgetful):
        yield


@contextmanager
def new_record_at_each_try() -> Iterator[None]:
    """What is unsettled is not repeated byte for byte, but under a new name: two tries are two writers."""
    append = LogWriter.append

    async def hasty(table: Table, *actions: Action, token: str | None = None) -> None:
        await retry_write(table, *actions, token=token, patience_s=0.0)

    async def again(self: LogWriter, items: tuple[Emitted, ...], transition: Transition[Any]) -> Committed[Any]:
        while True:
            try:
                return await append(self, items, transition)
            except Unsettled:
                self.nonce = ids.new_nonce()
                await asyncio.sleep(0.05)

    with replaced(writer, "retry_write", hasty), replaced(LogWriter, "append", again):
        yield


@contextmanager
def tool_before_its_commit() -> Iterator[None]:
    """A tool starts while its `tool_executing` is still on its way."""
    emit = WebSocketBridge.emit

    async def eager(self: WebSocketBridge, payload: AnyPayload, *, message: JournalMessage | None = None) -> Any:
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

    async def short(table: Table, *, user_id: str, run_id: str, seq: int) -> AsyncIterator[tuple[LogRow, ...]]:
        span = reader._span(user_id, run_id, first=seq + 1, last=reader.LAST_SEQ)
        rows = await table.query(span, LogRow, limit=100)
        if rows:
            yield rows

    with replaced(attach, "pages_after", short):
        yield


@contextmanager
def void_text_is_kept() -> Iterator[None]:
    """What `discard_after` voids stays in the history."""
    step_of = batch.step_of

    def deaf(event: Event) -> tuple[LogStep, ...]:
        return () if isinstance(event.payload, AgentResumed) else step_of(event)

    with replaced(batch, "step_of", deaf), replaced(reader, "step_of", deaf):
        yield


@contextmanager
def nothing_is_void() -> Iterator[None]:
    """A resumed run does not say which text is void."""
    with replaced(resume, "void_after", lambda steps: None):
        yield


@contextmanager
def reasoning_is_kept() -> Iterator[None]:
    """What the model reasoned stands in the history, as text of its answer, where the run was cut off."""
    step_of = batch.step_of

    def talkative(event: Event) -> tuple[LogStep, ...]:
        if isinstance(event.payload, AgentReasoning):
            return (Said(event.seq, event.payload.text),)
        return step_of(event)

    with replaced(batch, "step_of", talkative), replaced(reader, "step_of", talkative):
        yield


@contextmanager
def reasoning_is_not_void() -> Iterator[None]:
    """Where a request was cut off in its reasoning, before any text, a resumed run does not say that it is void."""

    def lenient(steps: Iterable[LogStep]) -> int | None:
        return void_after([step for step in steps if not isinstance(step, Reasoned)])

    void_after = resume.void_after
    with replaced(resume, "void_after", lenient):
        yield


@contextmanager
def retried_text_is_kept() -> Iterator[None]:
    """What was said before a request failed stays in the history, where the run was cut off later."""
    step_of = batch.step_of

    def deaf(event: Event) -> tuple[LogStep, ...]:
        return () if isinstance(event.payload, AgentRetrying) else step_of(event)

    with replaced(batch, "step_of", deaf), replaced(reader, "step_of", deaf):
        yield


@contextmanager
def retry_voids_its_own_batch() -> Iterator[None]:
    """A retry voids only what is committed together with it."""
    whole = LogWriter._number

    def short(self: LogWriter, items: tuple[Emitted, ...]) -> Batch:
        numbered = whole(self, items)
        events = tuple(
            event.model_copy(update={"payload": event.payload.model_copy(update={"discard_after": numbered.first - 1})})
            if isinstance(event.payload, AgentRetrying)
            else event
            for event in numbered.events
        )
        return replace(numbered, events=events)

    with replaced(LogWriter, "_number", short):
        yield


@contextmanager
def kinds_are_merged() -> Iterator[None]:
    """Text and reasoning that follow each other become one event, of the kind that came first."""
    merge_deltas = batch.merge_deltas

    def careless(items: tuple[Emitted, ...]) -> tuple[Emitted, ...]:
        same: list[Emitted] = []
        for item in items:
            before, payload = same[-1].payload if same else None, item.payload
            if isinstance(before, batch.DELTAS) and isinstance(payload, batch.DELTAS):
                same.append(replace(item, payload=type(before)(text=payload.text)))
            else:
                same.append(item)
        return merge_deltas(tuple(same))

    with replaced(batch, "merge_deltas", careless):
        yield


@contextmanager
def progress_is_told_late() -> Iterator[None]:
    """How far a tool is is told when it has ended."""
    take = Narrator._take

    async def late(self: Narrator, event: AgentEvent) -> None:
        waiting: list[AgentEvent] = self.__dict__.setdefault("told_late", [])
        if isinstance(event, ToolProgress):
            waiting.append(event)
            return
        await take(self, event)
        while isinstance(event, ToolEnded) and waiting:
            self._running[event.answer.call_id] = event.answer.name
            await take(self, waiting.pop())

    with replaced(Narrator, "_take", late):
        yield


ALL: Final = (
    Broken(post_before_append, 0),
    Broken(unconditional_append, 4, fates={Fate.LOST, Fate.LATE}),
    Broken(seq_from_the_tail, 2, chances={"invocation_twice"}),
    Broken(no_nonce_check, 5, fates={Fate.LOST, Fate.LATE}),
    Broken(new_record_at_each_try, 3, fates={Fate.LOST, Fate.LATE}),
    Broken(tool_before_its_commit, 0),
    Broken(replay_after_the_cursor, 2),
    Broken(void_text_is_kept, 4),
    Broken(nothing_is_void, 22, fates={Fate.DIES_AFTER, Fate.DIES_BEFORE}),
    Broken(reasoning_is_kept, 29, deeds={"cancel"}),
    Broken(reasoning_is_not_void, 22, fates={Fate.DIES_AFTER, Fate.DIES_BEFORE}),
    Broken(retried_text_is_kept, 23, deeds={"cancel"}),
    Broken(retry_voids_its_own_batch, 0),
    Broken(kinds_are_merged, 2),
    Broken(progress_is_told_late, 0),
)
