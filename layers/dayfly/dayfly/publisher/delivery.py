"""Committed events to every attached socket: sockets in parallel, each in order."""

import asyncio
import logging
from collections import deque
from typing import Final

from dayfly.errors import PortError
from dayfly.ports.poster import Poster
from dayfly.ports.table import Delete, Table
from dayfly.protocol.signals import AgentHeartbeat, Phase
from dayfly.publisher.audience import Audience, read_audience
from dayfly.publisher.log_writer import Committed
from dayfly.publisher.socket_queue import SocketQueue
from dayfly.runlog import keys

RECENT: Final = 1000
"""Batches kept for sockets that come between two reads of the audience: far more than half a second brings."""
DRAIN_S: Final = 5.0
"""How long an ending waits for slow sockets before it leaves them to their gap rule."""

_log = logging.getLogger("dayfly.publisher")


class Delivery:
    """The sockets that watch one run's thread."""

    def __init__(self, table: Table, poster: Poster, *, user: str, thread: str, run: str) -> None:
        self._table = table
        self._poster = poster
        self._user = user
        self._thread = thread
        self._run = run
        self._queues: dict[str, SocketQueue] = {}
        self._undetached: set[str] = set()
        """Connections that are gone, though their rows could not be removed: they take nobody's place."""
        self._last_seq = 0
        self._terminal: bytes | None = None
        self._recent: deque[Committed] = deque(maxlen=RECENT)
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
        audience = await read_audience(self._table, user=self._user, thread=self._thread, gone=self._undetached)
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

    def publish(self, committed: Committed) -> None:
        """Queues a committed batch to every known socket."""
        self._last_seq = committed.batch.last
        if committed.batch.outcome is not None:
            self._terminal = committed.row.events[-1].encode()
        self._recent.append(committed)
        for queue in self._queues.values():
            _put(queue, committed)

    def heartbeat(self, *, phase: Phase, elapsed_ms: int) -> None:
        """Tells every known socket that the run is alive."""
        for queue in self._queues.values():
            queue.put(self._heartbeat_frame(queue.last_seq, phase=phase, elapsed_ms=elapsed_ms))

    async def drain(self, *, patience_s: float = DRAIN_S) -> bool:
        """Waits until every socket has been sent what was queued. Says whether that came to be in time, and whether
        each was sent the end, or has left, or cannot be sent anything."""
        waiting = [asyncio.ensure_future(queue.drained()) for queue in self._queues.values()]
        if not waiting:
            return True
        _, late = await asyncio.wait(waiting, timeout=patience_s)
        for task in late:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
        await self._forget_gone()
        return not late and not any(queue.end_unsent for queue in self._queues.values())

    async def close(self) -> None:
        """Ends all posting."""
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
            run_id=self._run, thread_id=self._thread, last_seq=last_seq, phase=phase, elapsed_ms=elapsed_ms
        ).encode()

    async def _forget_gone(self) -> tuple[str, ...]:
        gone = tuple(connection for connection, queue in self._queues.items() if queue.gone)
        left = [self._stopped(connection) for connection in gone]
        await asyncio.gather(*(queue.close() for queue in left))
        await asyncio.gather(*(self._detach(connection) for connection in gone))
        return gone

    def _stopped(self, connection: str) -> SocketQueue:
        queue = self._queues.pop(connection)
        queue.stop()
        return queue

    async def _detach(self, connection: str) -> None:
        try:
            await self._table.write(Delete(keys.socket_of_thread_key(self._user, self._thread, connection)))
        except PortError as error:
            # The row has a TTL, and another writer's post to it is answered with 410 again.
            self._undetached.add(connection)
            _log.info("gone socket not removed", extra={"connection": connection, "reason": type(error).__name__})


def _put(queue: SocketQueue, committed: Committed) -> None:
    for event, text in zip(committed.batch.events, committed.row.events, strict=True):
        terminal = committed.batch.outcome is not None and event.seq == committed.batch.last
        queue.put(text.encode(), seq=event.seq, must_fit=terminal)
