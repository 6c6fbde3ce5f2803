"""Posts `thread_changed` to all of a user's sockets."""

import asyncio
import logging
from dataclasses import dataclass
from typing import Final

from dayfly.delivery.audience import MOST_SOCKETS
from dayfly.delivery.poster import Poster
from dayfly.errors import Gone, PortError
from dayfly.protocol.replies import ThreadItem
from dayfly.protocol.signals import ThreadChanged
from dayfly.store import keys
from dayfly.store.rows import SocketRow, ThreadRow, ThreadState
from dayfly.store.table import Delete, Span, Table
from dayfly.text import rfc3339

PATIENCE_S: Final = 3.0
"""How long an announcement may take: it is not in the log, and lists can be read again."""

_log = logging.getLogger("dayfly.delivery")


def thread_item(row: ThreadRow) -> ThreadItem:
    """A thread as clients see it."""
    return ThreadItem(
        thread_id=row.thread_id,
        title=row.title,
        updated_at=rfc3339(row.updated),
        active_run=row.active_run,
        queue=row.queue,
        version=row.version,
        state="live" if row.state == ThreadState.LIVE else "forgotten",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Announcer:
    """Announces changed threads. Best effort: a client that misses an announcement reads `threads` or attaches."""

    table: Table
    poster: Poster

    async def thread_changed(self, thread: ThreadRow) -> None:
        """Posts the thread's list entry to each socket of its user, within `PATIENCE_S`. Logs `PortError` and a
        time-out and does not raise them."""
        frame = ThreadChanged(thread=thread_item(thread)).encode()
        span = Span.prefix(keys.user_partition(thread.user_id), keys.SOCKETS)
        try:
            async with asyncio.timeout(PATIENCE_S):
                await self._post_to_all(span, frame)
        except (PortError, TimeoutError) as error:
            _log.info(
                "thread change not posted to all", extra={"thread_id": thread.thread_id, "reason": type(error).__name__}
            )

    async def _post_to_all(self, span: Span, frame: bytes) -> None:
        """Posts to the first `MOST_SOCKETS` sockets that are not gone."""
        room = MOST_SOCKETS
        while room:
            sockets = await self.table.query(span, SocketRow, limit=room)
            there = await asyncio.gather(*(self._post(socket, frame) for socket in sockets))
            if len(sockets) < room:
                return
            span = span.after(sockets[-1].key)
            room -= sum(there)

    async def _post(self, socket: SocketRow, frame: bytes) -> bool:
        """Posts, and returns `False` if the socket is gone."""
        try:
            await self.poster.post(socket.connection_id, frame)
        except Gone:
            await self._forget(socket)
            return False
        except PortError as error:
            _log.info(
                "thread change not posted", extra={"connection": socket.connection_id, "reason": type(error).__name__}
            )
        return True

    async def _forget(self, socket: SocketRow) -> None:
        try:
            await self.table.write(Delete(socket.key))
        except PortError as error:
            # The row has a TTL, and the next post to it is answered with 410 again.
            _log.info("gone socket not removed", extra={"reason": type(error).__name__})
