"""A thread's history, piece by piece from the newest."""

from collections.abc import AsyncIterator
from typing import Final

from dayfly.history.chunks import messages_of
from dayfly.log.messages import Message
from dayfly.store import keys
from dayfly.store.retry import retry_call
from dayfly.store.rows import HistoryRow, ThreadRow
from dayfly.store.table import Span, Table

MODEL_TURNS: Final = 20
MODEL_CHARS: Final = 100_000
"""How much of a thread a model is given: at most this many turns and about this many characters."""
READ_S: Final = 5.0
"""Seconds that reading the history is repeated."""


async def newest_rows(
    table: Table, thread: ThreadRow, *, limit: int, at_once: int, head: str | None = None
) -> AsyncIterator[list[HistoryRow]]:
    """Up to `limit` pieces, newest first, from `head` on (default: the thread's newest): `at_once` of them, and each
    time that more are wanted three times as many, so that a reader who needs few does not pay for all.

    Only what the chain of `previous` leads to counts: a writer that lost the ending may have left a piece beside it.
    """
    wanted = head or thread.history_head
    while wanted is not None and limit > 0:
        span = Span(keys.user_partition(thread.user_id), keys.history_prefix(thread.thread_id), wanted)
        rows = await table.query(span, HistoryRow, limit=min(at_once, limit), descending=True)
        if not rows or rows[0].key.sk != wanted:
            return  # being deleted
        chain: list[HistoryRow] = []
        for row in rows:
            if row.key.sk == wanted:
                chain.append(row)
                wanted = row.previous
        limit -= len(chain)
        at_once *= 3
        yield chain


async def newest_pieces(
    table: Table, thread: ThreadRow, *, limit: int
) -> AsyncIterator[tuple[HistoryRow, tuple[Message, ...]]]:
    """Up to `limit` pieces with all their messages, newest first. What lies beside a row is read in its turn."""
    async for rows in newest_rows(table, thread, limit=limit, at_once=limit):
        for row in rows:
            yield row, await messages_of(table, row)


async def read_history(table: Table, thread: ThreadRow) -> tuple[Message, ...]:
    """The thread's latest turns, oldest first, up to `MODEL_TURNS` and about `MODEL_CHARS`; whole turns, one at least.
    Raises `Unsettled`."""
    return await retry_call(lambda: _latest_turns(table, thread), patience_s=READ_S)


async def _latest_turns(table: Table, thread: ThreadRow) -> tuple[Message, ...]:
    turns: list[tuple[Message, ...]] = []
    chars = 0
    async for _, messages in newest_pieces(table, thread, limit=MODEL_TURNS):
        chars += sum(len(str(message)) for message in messages)
        if turns and chars > MODEL_CHARS:
            break
        turns.append(messages)
    return tuple(message for turn in reversed(turns) for message in turn)
