"""The bounded queue of frames for one socket, posted in order and independent of other sockets."""

import asyncio
import logging
from collections import deque
from typing import Final

from dayfly.delivery.poster import Poster
from dayfly.errors import Gone, PostRefused, Unsettled

QUEUE_BYTES: Final = 512 * 1024
"""Bytes that may wait for one slow socket. What does not fit is not sent; the client sees the gap and attaches anew."""

_log = logging.getLogger("dayfly.delivery")


class SocketQueue:
    """Frames waiting for one connection, and the task that posts them in order."""

    def __init__(self, connection_id: str, poster: Poster) -> None:
        self.connection = connection_id
        self.gone = False
        self.end_unsent = False
        """Whether the frame tried last has `must_fit` and was not posted, though another try may succeed."""
        self.last_seq = 0
        """The last seq queued here: what a heartbeat to this socket tells."""
        self._poster = poster
        self._frames: deque[tuple[bytes, bool]] = deque()
        self._bytes = 0
        self._work = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()
        self._task = asyncio.create_task(self._run(), name=f"post to {connection_id}")

    def put(self, frame: bytes, *, seq: int | None = None, must_fit: bool = False) -> None:
        """Queues a frame. Over `QUEUE_BYTES` it is dropped, unless `must_fit`.

        Args:
            seq: The event's seq; `None` for a frame that is not in the log.
            must_fit: For a terminal event, by which the client sees what it has missed.
        """
        if self.gone:
            return
        if seq is not None:
            self.last_seq = max(self.last_seq, seq)
        if self._bytes + len(frame) > QUEUE_BYTES and not must_fit:
            return
        self._frames.append((frame, must_fit))
        self._bytes += len(frame)
        self._idle.clear()
        self._work.set()

    async def drained(self) -> None:
        """Returns when the queue is empty: each frame was posted or given up."""
        await self._idle.wait()

    def stop(self) -> None:
        """Cancels posting and drops what is queued. Does not wait, so a caller that is cancelled leaves no queue
        running."""
        self._task.cancel()
        self._idle.set()

    async def close(self) -> None:
        """As `stop`, and waits for the posting task to end."""
        self.stop()
        await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        while True:
            await self._work.wait()
            while self._frames:
                frame, must_fit = self._frames.popleft()
                self._bytes -= len(frame)
                sent = await self._post(frame)
                self.end_unsent = must_fit and not sent
            self._work.clear()
            self._idle.set()

    async def _post(self, frame: bytes) -> bool:
        """Posts one frame. Returns `False` if another try may help."""
        try:
            await self._poster.post(self.connection, frame)
        except Gone:
            self.gone = True
            self._frames.clear()
            self._bytes = 0
        except (Unsettled, PostRefused) as error:
            # The frame is in the log; the client sees the gap by the next seq or heartbeat and attaches anew.
            _log.warning("frame not posted", extra={"connection": self.connection, "reason": type(error).__name__})
            return isinstance(error, PostRefused)
        except Exception:  # noqa: BLE001  # the task's outermost boundary: one socket's failure does not stop the others
            _log.exception("frame not posted", extra={"connection": self.connection})
            return False
        return True
