"""Who watches a thread, and whether somebody wants its run to end: one strongly consistent read for both."""

from dataclasses import dataclass
from typing import Final

from dayfly.ports.table import Span, Table
from dayfly.runlog import keys
from dayfly.runlog.rows import AttachedRow, CancelRow

MOST: Final = 200
"""Sockets and marks of one thread that are looked at."""


@dataclass(frozen=True, slots=True)
class Audience:
    """The sockets attached to a thread and the runs that are to be cancelled, at one moment."""

    sockets: tuple[str, ...]
    cancelled: frozenset[str]


async def read_audience(table: Table, *, user: str, thread: str) -> Audience:
    """Reads the thread's audience and marks. Raises `Unsettled`."""
    span = Span.prefix(keys.user_partition(user), keys.live_prefix(thread))
    rows = await table.query_live(span, limit=MOST)
    return Audience(
        sockets=tuple(row.connection for row in rows if isinstance(row, AttachedRow)),
        cancelled=frozenset(row.run for row in rows if isinstance(row, CancelRow)),
    )
