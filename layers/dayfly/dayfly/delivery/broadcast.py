"""Posts committed events to every attached socket: sockets in parallel, each in order."""

import asyncio
import logging
from collections import deque
from dataclasses import dataclass
from typing import Final

from dayfly.context.run_ref import RunRef
from dayfly.delivery.audience import Audience, read_audience
from dayfly.delivery.poster import Poster
from dayfly.delivery.socket_queue import SocketQueue
from dayfly.errors import PortError, Unsettled
from dayfly.log.writer import Committed
from dayfly.protocol.signals import AgentHeartbeat, Phase
from dayfly.store import keys
from dayfly.store.retry import retry_call
from dayfly.store.table import Delete, Table

RECENT: Final = 1000
"""Batches kept for sockets that come between two reads of the audience: far more than half a second brings."""
DRAIN_S: Final = 5.0
"""How long a writer waits, after its last record, until all sockets were sent what is queued. A slower socket gets no
more from it; its client finds the gap by `seq` and attaches again."""
AUDIENCE_S: Final = 2.0
"""How long the audience is looked for."""
_LAST_PART: Final = 0.2
"""Of the time for a drain: what the last one has, for sockets that have had none of it."""

_log = logging.getLogger("dayfly.delivery")


@dataclass(frozen=True, slots=True)
class Flushed:
    """What `Broadcast.flush` found. `audience`: sockets and cancel marks as read after the append, `None` if they could
    not be read. `posted`: as returned by `drain`; `False` if the audience could not be read, or not to its end."""

    audience: Audience | None
    posted: bool


class Broadcast:
    """The sockets attached to one run's thread, each with a queue of its own."""

    def __init__(self, table: Table, poster: Poster, ref: RunRef) -> None:
        self._table = table
        self._poster = poster
        self._ref = ref
        self._queues: dict[str, SocketQueue] = {}
        self._undetached: set[str] = set()
        """Connections that are gone, though their rows could not be removed: they take no place within
        `MOST_SOCKETS`."""
        self._last_seq = 0
        self._terminal: bytes | None = None
        self._recent: deque[Committed[object]] = deque(maxlen=RECENT)
        self._read_before = False

    @property
    def sockets(self) -> tuple[str, ...]:
        """The connections known now."""
        return tuple(self._queues)

    async def refresh(self, *, phase: Phase, elapsed_ms: int) -> Audience:
        """Reads the audience again, and brings a socket that was not there before up to date. Raises `Unsettled`.

        A socket's row is written before its replay reads the log. So whatever was published before the last read began,
        which did not find the row, is in that replay; what was published since then is sent to it here, and overlaps
        with the replay at most (clients drop by seq). Before the first read, that is everything.
        """
        published = len(self._recent)
        audience = await read_audience(
            self._table, user_id=self._ref.user_id, thread_id=self._ref.thread_id, gone=self._undetached
        )
        # What was read may still name a socket that is found to be gone only now.
        gone = await self._forget_gone()
        present = tuple(connection for connection in audience.sockets if connection not in gone)
        for connection in [c for c in self._queues if c not in present]:
            await self._stopped(connection).close()
        for connection in present:
            if connection not in self._queues:
                self._queues[connection] = queue = SocketQueue(connection, self._poster)
                self._greet(queue, phase=phase, elapsed_ms=elapsed_ms)
        for _ in range(min(published, len(self._recent))):
            self._recent.popleft()
        self._read_before = True
        return audience

    def publish(self, committed: Committed[object]) -> None:
        """Queues a committed batch to every known socket, and keeps it for those that the next `refresh` finds."""
        self._last_seq = committed.batch.last
        if committed.batch.outcome is not None:
            self._terminal = committed.row.events[-1].encode()
        self._recent.append(committed)
        for queue in self._queues.values():
            _put(queue, committed)

    def heartbeat(self, *, phase: Phase, elapsed_ms: int) -> None:
        """Queues a heartbeat to every known socket.

        Args:
            elapsed_ms: Milliseconds since the engine began.
        """
        for queue in self._queues.values():
            queue.put(self._heartbeat_frame(queue.last_seq, phase=phase, elapsed_ms=elapsed_ms))

    async def drain(self, *, patience_s: float = DRAIN_S) -> bool:
        """Waits until all queues are empty, for `patience_s` seconds at most.

        Returns:
            Whether they were empty in time, and no socket still has to be sent the terminal event (one that is gone, or
            refuses posts, counts as done).
        """
        waiting = [asyncio.ensure_future(queue.drained()) for queue in self._queues.values()]
        if not waiting:
            return True
        _, late = await asyncio.wait(waiting, timeout=patience_s)
        for task in late:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
        await self._forget_gone()
        return not late and not any(queue.end_unsent for queue in self._queues.values())

    async def flush(self, *, drain_s: float = DRAIN_S) -> Flushed:
        """Reads the audience once more, so that a socket that attached late is sent what was appended, then drains the
        queues for `drain_s` seconds at most. If sockets were found to be gone and there are more than `MOST_SOCKETS`,
        those beyond are read and sent it in their place; for them there is a fifth of `drain_s` more, should others
        that take nothing have used it up."""
        loop = asyncio.get_running_loop()
        until: float | None = None
        audience: Audience | None = None
        while True:
            try:
                audience = await retry_call(
                    lambda: self.refresh(phase=Phase.ENDING, elapsed_ms=0), patience_s=AUDIENCE_S
                )
            except Unsettled:
                # An end keeps its lease for the sweep; whoever misses anything else sees the gap by the next event.
                _log.warning("audience not read")
                await self.drain(patience_s=drain_s if until is None else max(0.0, until - loop.time()))
                return Flushed(audience, posted=False)
            until = loop.time() + drain_s if until is None else until
            left, least = until - loop.time(), drain_s * _LAST_PART
            posted = await self.drain(patience_s=max(left, least))
            has_room = audience.more and len(self.sockets) < len(audience.sockets)
            if left <= least or not has_room:
                return Flushed(audience, posted and not has_room)

    async def close(self) -> None:
        """Stops all queues; what they hold is dropped."""
        await asyncio.gather(*(queue.close() for queue in self._queues.values()))
        self._queues.clear()

    def _greet(self, queue: SocketQueue, *, phase: Phase, elapsed_ms: int) -> None:
        """What came since the last read; then the end, or how far the log has come, should the client still miss
        something."""
        for committed in self._recent:
            _put(queue, committed)
        if not self._read_before:
            return
        if self._terminal is not None and queue.last_seq < self._last_seq:
            queue.put(self._terminal, seq=self._last_seq, must_fit=True)
        elif self._terminal is None and self._last_seq:
            queue.last_seq = self._last_seq
            queue.put(self._heartbeat_frame(self._last_seq, phase=phase, elapsed_ms=elapsed_ms))

    def _heartbeat_frame(self, last_seq: int, *, phase: Phase, elapsed_ms: int) -> bytes:
        return AgentHeartbeat(
            run_id=self._ref.run_id,
            thread_id=self._ref.thread_id,
            last_seq=last_seq,
            phase=phase,
            elapsed_ms=elapsed_ms,
        ).encode()

    async def _forget_gone(self) -> tuple[str, ...]:
        gone = tuple(connection for connection, queue in self._queues.items() if queue.gone)
        left = [self._stopped(connection) for connection in gone]
        await asyncio.gather(*(queue.close() for queue in left))
        await asyncio.gather(*(self._detach(connection) for connection in gone))
        return gone

    def _stopped(self, connection_id: str) -> SocketQueue:
        queue = self._queues.pop(connection_id)
        queue.stop()
        return queue

    async def _detach(self, connection_id: str) -> None:
        try:
            await self._table.write(
                Delete(keys.socket_of_thread_key(self._ref.user_id, self._ref.thread_id, connection_id))
            )
        except PortError as error:
            # The row has a TTL, and another writer's post to it is answered with 410 again.
            self._undetached.add(connection_id)
            _log.info("gone socket not removed", extra={"connection": connection_id, "reason": type(error).__name__})


def _put(queue: SocketQueue, committed: Committed[object]) -> None:
    for event, text in zip(committed.batch.events, committed.row.events, strict=True):
        terminal = committed.batch.outcome is not None and event.seq == committed.batch.last
        queue.put(text.encode(), seq=event.seq, must_fit=terminal)
