"""A thread's history, piece by piece from the newest."""

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Final

from dayfly.history.chunks import Fragment, messages_in, messages_of, read_chunks
from dayfly.log.messages import Message, ToolAnswered
from dayfly.store import keys
from dayfly.store.large_values import PART_BYTES
from dayfly.store.retry import retry_call
from dayfly.store.rows import HistoryRow, ThreadRow
from dayfly.store.table import Span, Table
from dayfly.text import shortened

MODEL_TURNS: Final = 20
MODEL_CHARS: Final = 100_000
"""How much of a thread a model is given: at most this many turns and about this many characters."""
TURN_CHARS: Final = 400_000
"""How much of one turn's results a model is given at most, be it the newest: about what 128,000 tokens hold."""
RESULT_CHARS: Final = 200_000
"""How much of one result; less where there are many."""
LEAST_CHARS: Final = 500
"""No result is cut to less."""
AT_ONCE: Final = 8
"""Chunks that are read together; most pieces have fewer."""
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
    """The thread's latest turns, oldest first, up to `MODEL_TURNS` and about `MODEL_CHARS`; whole turns, one at least,
    with long results cut (`TURN_CHARS`). Raises `Unsettled`."""
    return await retry_call(lambda: _latest_turns(table, thread), patience_s=READ_S)


async def _latest_turns(table: Table, thread: ThreadRow) -> tuple[Message, ...]:
    turns: list[tuple[Message, ...]] = []
    chars = 0
    async for rows in newest_rows(table, thread, limit=MODEL_TURNS, at_once=MODEL_TURNS):
        for row in rows:
            if turns and _least_bytes(row) > MODEL_CHARS:
                return _oldest_first(turns)
            messages = await _turn(table, row)
            chars += sum(len(str(message)) for message in messages)
            if turns and chars > MODEL_CHARS:
                return _oldest_first(turns)
            turns.append(messages)
    return _oldest_first(turns)


def _oldest_first(turns: list[tuple[Message, ...]]) -> tuple[Message, ...]:
    return tuple(message for turn in reversed(turns) for message in turn)


def _least_bytes(row: HistoryRow) -> int:
    """What the piece takes at the least, packed: each chunk's parts but the last are full."""
    return sum(max(0, parts - 1) for parts in row.parts) * PART_BYTES


async def _turn(table: Table, row: HistoryRow) -> tuple[Message, ...]:
    """The messages of a piece, with the heads and tails of long results, so that all of it is at most about
    `TURN_CHARS`. It is read and cut chunk by chunk: no more of it is held than that and a few chunks."""
    kept: list[Fragment] = []
    longest = RESULT_CHARS
    for first in range(0, len(row.parts), AT_ONCE):
        chunks = range(first, min(first + AT_ONCE, len(row.parts)))
        for fragments in await read_chunks(table, [(row, chunk) for chunk in chunks]):
            kept += (_cut(fragment, longest) for fragment in fragments)
        while longest > LEAST_CHARS and sum(_result_chars(fragment) for fragment in kept) > TURN_CHARS:
            longest //= 2
            kept = [_cut(fragment, longest) for fragment in kept]
    return messages_in(kept)


def _cut(fragment: Fragment, longest: int) -> Fragment:
    if _result_chars(fragment) <= longest or not isinstance(answer := fragment.message, ToolAnswered):
        return fragment
    return replace(fragment, message=replace(answer, content=shortened(answer.content, longest)))


def _result_chars(fragment: Fragment) -> int:
    return len(fragment.message.content) if isinstance(fragment.message, ToolAnswered) else 0
