"""A thread's history, piece by piece from the newest."""

from dayfly.ports.table import Span, Table
from dayfly.publisher.parts import bodies_of
from dayfly.runlog import keys
from dayfly.runlog.history import unpack_history
from dayfly.runlog.messages import Message
from dayfly.runlog.rows import HistoryRow, ThreadRow


async def newest_pieces(
    table: Table, thread: ThreadRow, *, limit: int, head: str | None = None
) -> tuple[tuple[HistoryRow, tuple[Message, ...]], ...]:
    """Up to `limit` pieces with their messages, newest first, from `head` on (default: the thread's newest).

    Only what the chain of `previous` leads to counts: a writer that lost the ending may have left a piece beside it.
    """
    wanted = head or thread.history_head
    chain: list[HistoryRow] = []
    while wanted is not None and len(chain) < limit:
        span = Span(keys.user_partition(thread.user), keys.history_prefix(thread.thread), wanted)
        rows = await table.query(span, HistoryRow, limit=limit - len(chain) + 2, descending=True)
        if not rows or rows[0].key.sk != wanted:
            break  # being deleted
        for row in rows:
            if row.key.sk == wanted and len(chain) < limit:
                chain.append(row)
                wanted = row.previous
    bodies = await bodies_of(table, chain)
    return tuple((row, unpack_history(body)) for row, body in zip(chain, bodies, strict=True))
