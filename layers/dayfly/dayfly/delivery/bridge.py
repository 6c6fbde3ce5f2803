"""The one way out to the client: append, then publish.

An engine streams through a `WebSocketBridge`; router and recovery write a single event by `WebSocketBridge.once`. Both
append to the run log first, and what is published, by `Broadcast`, is what was committed.
"""

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar

from dayfly.clock import Clock
from dayfly.delivery.broadcast import Broadcast
from dayfly.delivery.poster import Poster
from dayfly.errors import EngineClosed
from dayfly.log.batch import DELTA_BYTES, Emitted, outcome_of
from dayfly.log.fold import LogStep
from dayfly.log.journal import JournalMessage
from dayfly.log.messages import NOTHING_COUNTED, TokenCount
from dayfly.log.writer import RECORD_ALONE, Committed, LogPosition, LogWriter, Transition
from dayfly.protocol.events import AgentDelta, AgentReasoning, AnyPayload
from dayfly.store.table import Table
from dayfly.text import json_string_bytes, rfc3339, sanitize, split_text

DELTA_PAUSE_S: Final = 0.1
"""Deltas alone are appended at most this often; anything else takes the waiting deltas along at once."""
BUFFERED_WEIGHT: Final = 64 * 1024
"""Bytes of text that may wait for the log before `say` waits."""
BATCH_WEIGHT: Final = 48 * 1024
"""Bytes taken into one batch, one more event aside: so an item stays far below 400 KB, whatever its journal."""
EVENT_WEIGHT: Final = 8 * 1024
"""What an event other than a delta counts for, in bytes: few come near their limit."""


ResultT = TypeVar("ResultT")


@dataclass(slots=True)
class _Waiting:
    item: Emitted
    done: asyncio.Future[Committed[Any]] | None = None
    transition: Transition[Any] | None = None
    weight: int = 0


@dataclass(frozen=True, slots=True)
class _Opening(Generic[ResultT]):
    transition: Transition[ResultT]
    result: "asyncio.Future[ResultT]"


class WebSocketBridge:
    """Takes what a run emits, commits it to the run log in order, and publishes what is committed.

    Use as an async context manager, inside one event loop. While an append is in flight, what arrives is gathered for
    the next batch (group commit). After the first failed append, every call raises that failure: another writer has
    taken over (`Superseded`), the log could not be reached (`Unsettled`), or whatever else went wrong. After its last
    event (a terminal one, or one that leaves the run to another attempt) nothing more is taken (`EngineClosed`): a tool
    that could not be stopped may still come back, and must not take a seq that is another's.
    """

    def __init__(self, writer: LogWriter, broadcast: Broadcast, clock: Clock) -> None:
        self.steps: list[LogStep] = []
        """What was committed so far, as history is folded from it."""
        self.last_emitted = clock.monotonic()
        """When something last came from the agent (monotonic seconds)."""
        self._writer = writer
        self._broadcast = broadcast
        self._clock = clock
        self._waiting: deque[_Waiting] = deque()
        self._buffered = 0
        self._arrived = asyncio.Event()
        self._room = asyncio.Event()
        self._room.set()
        self._failure: Exception | None = None
        self._ended = False
        self._opening: _Opening[Any] | None = None
        self._opened = False
        self._committing = asyncio.Lock()
        self._committer: asyncio.Task[None] | None = None

    @classmethod
    def at(cls, position: LogPosition, *, table: Table, poster: Poster, clock: Clock) -> "WebSocketBridge":
        """A bridge that writes at this position under a nonce of its own, for the sockets that watch the thread."""
        return cls(LogWriter(table, clock, position), Broadcast(table, poster, position.ref), clock)

    @staticmethod
    async def once(
        position: LogPosition,
        payload: AnyPayload,
        transition: Transition[ResultT],
        *,
        journal: Sequence[JournalMessage] = (),
        table: Table,
        clock: Clock,
    ) -> Committed[ResultT]:
        """Commits one event at this position, under a nonce of its own, for a caller that is not the run's engine.
        Posts nothing: `Broadcast.publish` does.

        Args:
            journal: Journal messages that go into the log before the event.

        Raises as `LogWriter.append`.
        """
        now = rfc3339(clock.now_ms())
        items = (*(Emitted(None, message, now) for message in journal), Emitted(payload, None, now))
        return await LogWriter(table, clock, position).append(items, transition)

    @property
    def nonce(self) -> str:
        """The writer's name in the log and in the lease."""
        return self._writer.nonce

    @property
    def next_seq(self) -> int:
        """The seq that the next event gets, if nothing waits."""
        return self._writer.next_seq

    @property
    def opened(self) -> bool:
        """Whether something was committed."""
        return self._opened

    @property
    def broadcast(self) -> Broadcast:
        """The sockets that committed events go to."""
        return self._broadcast

    async def __aenter__(self) -> "WebSocketBridge":
        self._committer = asyncio.create_task(self._commit_all(), name="commit to the run log")
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.close()

    def opens_with(self, transition: Transition[ResultT]) -> "asyncio.Future[ResultT]":
        """Has the first commit include this transition, unless it brings one of its own, which then has to claim as
        much.

        Returns:
            A future for what the transition comes to. It gets its result with the first commit, and none where that
            fails or has a transition of its own.
        """
        opening = _Opening(transition, asyncio.get_running_loop().create_future())
        self._opening = opening
        return opening.result

    async def emit(self, payload: AnyPayload, *, message: JournalMessage | None = None) -> Committed[None]:
        """Commits one event and returns when it is in the log.

        Args:
            message: The journal message that the event completes.
        """
        return await self._enqueue(Emitted(payload, message, self._timestamp()))

    async def commit(
        self, payload: AnyPayload, transition: Transition[ResultT], *, last: bool = False
    ) -> Committed[ResultT]:
        """Commits one event together with the transition's actions, in one transaction, and returns when it is done.
        What was emitted before goes into the same batch, or into one before. With `last` nothing is taken after it."""
        return await self.commit_all((payload,), transition, last=last)

    async def commit_all(
        self, payloads: Sequence[AnyPayload], transition: Transition[ResultT], *, last: bool = False
    ) -> Committed[ResultT]:
        """As `commit`, for several events in one batch. The caller keeps their sum below an item's 400 KB."""
        for payload in payloads[:-1]:
            self._put(_Waiting(Emitted(payload, None, self._timestamp())))
        final = Emitted(payloads[-1], None, self._timestamp())
        return await self._enqueue(final, transition, last=last, weight=EVENT_WEIGHT if len(payloads) == 1 else 0)

    async def say(self, text: str) -> None:
        """Emits a piece of the answer's text. Waits while `BUFFERED_WEIGHT` bytes wait for the log; does not wait for
        the commit."""
        await self._say(text, AgentDelta)

    async def reason(self, text: str) -> None:
        """Emits a piece of the model's reasoning, as `say` does of the answer."""
        await self._say(text, AgentReasoning)

    def note(self, message: JournalMessage, *, tokens: TokenCount = NOTHING_COUNTED, told: bool = True) -> None:
        """Adds a journal message, which is committed with the next event."""
        self._put(_Waiting(Emitted(None, message, self._timestamp(), tokens, told)))

    async def discard(self) -> None:
        """Drops what is not being appended yet and waits for the append under way: after that `steps` is all that the
        log holds. Raises what an append has failed with."""
        self._drop(EngineClosed("the step was cut"))
        async with self._committing:
            if self._failure is not None:
                raise self._failure

    async def close(self) -> None:
        """Stops committing and posting. What is not committed is dropped; callers that await it get `EngineClosed`.
        Idempotent."""
        if self._committer is not None:
            self._committer.cancel()
            await asyncio.gather(self._committer, return_exceptions=True)
        self._fail(EngineClosed("the bridge is closed"))
        await self._broadcast.close()

    async def _say(self, text: str, kind: type[AgentDelta | AgentReasoning]) -> None:
        for piece in split_text(sanitize(text), DELTA_BYTES):
            await self._room.wait()
            delta = Emitted(kind(text=piece), None, self._timestamp())
            self._put(_Waiting(delta, weight=json_string_bytes(piece)))

    async def _enqueue(
        self,
        item: Emitted,
        transition: Transition[Any] | None = None,
        *,
        last: bool = False,
        weight: int = EVENT_WEIGHT,
    ) -> Committed[Any]:
        done: asyncio.Future[Committed[Any]] = asyncio.get_running_loop().create_future()
        self._put(_Waiting(item, done, transition, weight))
        self._ended = self._ended or last
        return await done

    def _put(self, waiting: _Waiting) -> None:
        if self._failure is not None:
            raise self._failure
        if self._ended:
            raise EngineClosed("the run has ended")
        payload = waiting.item.payload
        self._ended = payload is not None and outcome_of(payload) is not None
        self.last_emitted = self._clock.monotonic()
        self._waiting.append(waiting)
        self._buffered += waiting.weight
        if self._buffered >= BUFFERED_WEIGHT:
            self._room.clear()
        self._arrived.set()

    async def _commit_all(self) -> None:
        loop = asyncio.get_running_loop()
        not_before = loop.time()
        while self._failure is None:
            await self._until_due(not_before)
            async with self._committing:
                # What was due may have been dropped meanwhile.
                if any(waiting.item.payload is not None for waiting in self._waiting):
                    await self._commit_batch(self._take())
            not_before = loop.time() + DELTA_PAUSE_S

    async def _until_due(self, not_before: float) -> None:
        """Returns when there is an event to commit and, if all that waits is text, its pause is over."""
        loop = asyncio.get_running_loop()
        while all(waiting.item.payload is None for waiting in self._waiting):
            self._arrived.clear()
            await self._arrived.wait()
        while (pause := not_before - loop.time()) > 0 and not self._is_urgent():
            self._arrived.clear()
            try:
                await asyncio.wait_for(self._arrived.wait(), pause)
            except TimeoutError:
                return

    def _is_urgent(self) -> bool:
        return self._buffered >= BUFFERED_WEIGHT or any(waiting.done is not None for waiting in self._waiting)

    def _take(self) -> list[_Waiting]:
        """The next batch: up to and including the first item with a transition; a journal message is never last, it
        waits for the event that it is committed with."""
        taken: list[_Waiting] = []
        weight = 0
        while self._waiting and (weight < BATCH_WEIGHT or taken[-1].item.payload is None):
            waiting = self._waiting.popleft()
            taken.append(waiting)
            weight += waiting.weight
            if waiting.transition is not None:
                break
        while taken[-1].item.payload is None:
            self._waiting.appendleft(taken.pop())
        self._buffered = sum(waiting.weight for waiting in self._waiting)
        if self._buffered < BUFFERED_WEIGHT:
            self._room.set()
        return taken

    async def _commit_batch(self, taken: list[_Waiting]) -> None:
        try:
            transition, opening = taken[-1].transition, None
            if transition is None and not self._opened:
                opening = self._opening
                transition = opening.transition if opening is not None else None
            committed = await self._writer.append(tuple(w.item for w in taken), transition or RECORD_ALONE)
        except asyncio.CancelledError:
            self._fail(EngineClosed("the bridge is closed"), taken)
            raise
        except Exception as error:  # noqa: BLE001  whatever it is, all who wait are told, so that none waits for ever
            self._fail(error, taken)
            return
        self._opened = True
        if opening is not None and not opening.result.done():  # else whoever awaited it was cancelled
            opening.result.set_result(committed.result)
        self.steps.extend(committed.batch.steps)
        self._broadcast.publish(committed)
        for waiting in taken:
            if waiting.done is not None and not waiting.done.done():
                waiting.done.set_result(committed)

    def _fail(self, error: Exception, taken: list[_Waiting] | None = None) -> None:
        """Remembers the first failure and tells everybody who waits."""
        self._failure = self._failure or error
        self._drop(self._failure, taken)

    def _drop(self, error: Exception, taken: list[_Waiting] | None = None) -> None:
        for waiting in (*(taken or ()), *self._waiting):
            if waiting.done is not None and not waiting.done.done():
                waiting.done.set_exception(error)
                waiting.done.exception()  # marks it as seen: whoever waited may be gone
        self._waiting.clear()
        self._buffered = 0
        self._room.set()

    def _timestamp(self) -> str:
        return rfc3339(self._clock.now_ms())
