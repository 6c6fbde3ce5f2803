"""How many messages of one connection are worked on at once.

On AWS there is no such bound: a burst of one client is spread over as many environments as the account may have, so
nobody else waits for it. One machine has few environments, and whoever sends 600 messages at once would fill the line
before all others. So each connection has only so many calls in Lambda's line; its further messages wait here, in order,
while pings and the client's close are still heard. A call that takes longer than a second is slow by itself and gives
its turn away, so that slow functions run side by side in any number, as on AWS.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine

Work = Callable[[], Coroutine[object, object, None]]
Spawn = Callable[[Coroutine[object, object, None]], "asyncio.Task[None]"]

# Of messages that wait. Above it no more is read from the client, until half of it is done.
_BACKLOG_BYTES = 1024 * 1024
# What a message that waits takes besides its text, about.
_ENTRY_BYTES = 512
# How long a piece of work may keep its turn.
_TURN_S = 1.0


class MessageQueue:
    """Starts at most `limit` pieces of work at once. `hold` is told when to stop reading, and when to go on."""

    def __init__(self, *, limit: int, spawn: Spawn, hold: Callable[[bool], None]) -> None:
        self.limit = limit
        self._spawn = spawn
        self._hold = hold
        self._running = 0
        self._waiting: deque[tuple[Work, int]] = deque()
        self._bytes = 0
        self._held = False

    def add(self, work: Work, *, size: int) -> None:
        """Start it now, or after what waits already. `size` is that of its message, in bytes."""
        if self._running < self.limit and not self._waiting:
            self._start(work)
            return
        size += _ENTRY_BYTES
        self._waiting.append((work, size))
        self._bytes += size
        if self._bytes > _BACKLOG_BYTES and not self._held:
            self._held = True
            self._hold(True)

    def add_last(self, work: Work) -> None:
        """Start it once nothing waits any more: the end of a connection comes after its messages."""
        if self._waiting:
            self.add(work, size=0)
        else:
            self._spawn(work())

    def _start(self, work: Work) -> None:
        self._running += 1
        turn = _Turn(self._over)
        self._spawn(work()).add_done_callback(turn.done)

    def _over(self) -> None:
        self._running -= 1
        while self._waiting and self._running < self.limit:
            work, size = self._waiting.popleft()
            self._bytes -= size
            self._start(work)
        if self._held and self._bytes < _BACKLOG_BYTES / 2:
            self._held = False
            self._hold(False)


class _Turn:
    """Ends once: when the work is done, or has taken too long to keep others waiting."""

    def __init__(self, over: Callable[[], None]) -> None:
        self._over: Callable[[], None] | None = over
        self._slow = asyncio.get_running_loop().call_later(_TURN_S, self._end)

    def done(self, task: asyncio.Task[None]) -> None:
        self._slow.cancel()
        if task.cancelled():
            self._over = None  # the gateway stops, so nothing else begins
        self._end()

    def _end(self) -> None:
        over, self._over = self._over, None
        if over is not None:
            over()
