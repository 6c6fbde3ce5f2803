"""Who watches a thread, and whether somebody wants its run to end: one strongly consistent read for both."""

from dataclasses import dataclass
from typing import Final

from dayfly.runs.queue import QUEUE_LENGTH
from dayfly.store import keys
from dayfly.store.rows import AttachedRow, CancelRow
from dayfly.store.table import Span, Table

MOST_SOCKETS: Final = 200
"""Sockets that one thread's events, or the news of one user's threads, are posted to. One beyond them is told nothing
live: it reads what it misses by `attach` and `threads`."""


@dataclass(frozen=True, slots=True)
class Audience:
    """The sockets attached to a thread and the runs that are to be cancelled, at one moment."""

    sockets: tuple[str, ...]
    cancelled: frozenset[str]


async def read_audience(table: Table, *, user_id: str, thread_id: str) -> Audience:
    """Reads the thread's audience and marks. Raises `Unsettled`."""
    span = Span.prefix(keys.user_partition(user_id), keys.live_prefix(thread_id))
    # Marks sort before sockets: there is room for one of each run that has not ended.
    rows = await table.query_live(span, limit=MOST_SOCKETS + QUEUE_LENGTH + 1)
    sockets = [row.connection_id for row in rows if isinstance(row, AttachedRow)]
    return Audience(
        sockets=tuple(sockets[:MOST_SOCKETS]),
        cancelled=frozenset(row.run_id for row in rows if isinstance(row, CancelRow)),
    )
