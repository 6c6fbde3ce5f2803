"""The sockets attached to a thread and its cancel marks: one strongly consistent read for both."""

from collections.abc import Set
from dataclasses import dataclass
from typing import Final

from dayfly.store import keys
from dayfly.store.rows import QUEUE_LENGTH, AttachedRow, CancelRow
from dayfly.store.table import Span, Table

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


async def read_audience(table: Table, *, user_id: str, thread_id: str, gone: Set[str] = frozenset()) -> Audience:
    """Reads the thread's attached sockets and cancel marks.

    Args:
        gone: Connections that are known to be closed; they are left out and take no place within `MOST_SOCKETS`.

    Raises:
        Unsettled: The table did not answer.
    """
    span = Span.prefix(keys.user_partition(user_id), keys.live_prefix(thread_id))
    # Marks sort before sockets: one of each run that has not ended has room, and one row tells of more.
    limit = MOST_SOCKETS + QUEUE_LENGTH + 2
    sockets: list[str] = []
    cancelled: set[str] = set()
    while True:
        rows = await table.query_live(span, limit=limit)
        cancelled.update(row.run_id for row in rows if isinstance(row, CancelRow))
        sockets += [row.connection_id for row in rows if isinstance(row, AttachedRow) and row.connection_id not in gone]
        if len(rows) < limit or len(sockets) > MOST_SOCKETS:
            break
        span = span.after(rows[-1].key)
    return Audience(tuple(sockets[:MOST_SOCKETS]), frozenset(cancelled), more=len(sockets) > MOST_SOCKETS)
