"""Who watches a thread, and whether somebody wants its run to end: one strongly consistent read for both."""

from collections.abc import Set
from dataclasses import dataclass
from typing import Final

from dayfly.ports.table import Span, Table
from dayfly.runlog import keys
from dayfly.runlog.queueing import QUEUE_LENGTH
from dayfly.runlog.rows import AttachedRow, CancelRow

MOST_SOCKETS: Final = 200
"""Sockets that one thread's events, or the news of one user's threads, are posted to. Those that are gone do not count.
One beyond them is told nothing live: it reads what it misses by `attach` and `threads`."""


@dataclass(frozen=True, slots=True)
class Audience:
    """The sockets attached to a thread and the runs that are to be cancelled, at one moment. `more`: there are sockets
    beyond the bound, which have a place if one of these is gone."""

    sockets: tuple[str, ...]
    cancelled: frozenset[str]
    more: bool = False


async def read_audience(table: Table, *, user: str, thread: str, gone: Set[str] = frozenset()) -> Audience:
    """Reads the thread's audience and marks, without those sockets that are known to be `gone`. Raises `Unsettled`."""
    span = Span.prefix(keys.user_partition(user), keys.live_prefix(thread))
    # Marks sort before sockets: one of each run that has not ended has room, and one row tells of more.
    limit = MOST_SOCKETS + QUEUE_LENGTH + 2
    sockets: list[str] = []
    cancelled: set[str] = set()
    while True:
        rows = await table.query_live(span, limit=limit)
        cancelled.update(row.run for row in rows if isinstance(row, CancelRow))
        sockets += [row.connection for row in rows if isinstance(row, AttachedRow) and row.connection not in gone]
        if len(rows) < limit or len(sockets) > MOST_SOCKETS:
            break
        span = span.behind(rows[-1].key)
    return Audience(tuple(sockets[:MOST_SOCKETS]), frozenset(cancelled), more=len(sockets) > MOST_SOCKETS)
