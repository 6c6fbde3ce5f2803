"""`threads`: the user's threads, newest first, a page at a time."""

import re
from typing import Final

from dayfly.delivery.announcer import thread_item
from dayfly.errors import InvalidMessage
from dayfly.protocol import limits
from dayfly.protocol.frames import Threads
from dayfly.protocol.replies import ThreadList
from dayfly.router.request import Request
from dayfly.store import keys
from dayfly.store.rows import ThreadRow, ThreadState
from dayfly.store.table import Span

THREADS_PAGE: Final = 50
THREADS_BYTES: Final = 28 * 1024
"""Bytes of the threads in one page, encoded; with the envelope it stays below a frame."""


async def threads(request: Request, frame: Threads) -> ThreadList:
    """The user's threads, newest first, a page at a time. Raises `InvalidMessage` for a cursor that
    this backend did not give, and `Unsettled`."""
    last = f"{keys.THREADS}~"
    if frame.cursor is not None:
        if not re.fullmatch(limits.ENTITY_ID_PATTERN, frame.cursor):
            raise InvalidMessage("`cursor` is not one that this backend gave.")
        last = f"{keys.THREADS}{frame.cursor}"
    span = Span(keys.user_partition(request.caller.user_id), keys.THREADS, last)
    rows = await request.ports.table.query(span, ThreadRow, limit=THREADS_PAGE + 2, descending=True)
    rows = tuple(row for row in rows if row.thread_id != frame.cursor)
    page = _within_a_frame(rows[:THREADS_PAGE])
    items = tuple(thread_item(row) for row in page if row.state == ThreadState.LIVE)
    return ThreadList(id=frame.id, items=items, cursor=page[-1].thread_id if len(rows) > len(page) else None)


def _within_a_frame(rows: tuple[ThreadRow, ...]) -> tuple[ThreadRow, ...]:
    """As many of the rows, from the first on, as a page can show; one at least. A forgotten thread takes no room."""
    size = 0
    for place, row in enumerate(rows):
        if row.state == ThreadState.LIVE:
            shown, size = size > 0, size + len(thread_item(row).encode()) + len(",")
            if shown and size > THREADS_BYTES:
                return rows[:place]
    return rows
