"""Finds what was said in the user's own threads."""

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Final

from dayfly.history.chunks import messages_in, read_chunks
from dayfly.history.reader import newest_rows
from dayfly.log.messages import AssistantSaid, Message, UserSaid
from dayfly.store import keys
from dayfly.store.rows import HistoryRow, ThreadRow, ThreadState
from dayfly.store.table import Span, Table

MAX_THREADS: Final = 30
"""Threads looked through, newest first."""
MAX_PIECES: Final = 200
"""Runs looked through, over all threads: the bound of the scan's work."""
EXCERPT_CHARS: Final = 240


@dataclass(frozen=True, slots=True)
class Found:
    """One message that matches. `excerpt` is its text around the match; `at` in milliseconds since the epoch."""

    thread_id: str
    title: str
    said_by: str
    excerpt: str
    at: int


class ThreadSearch:
    """Searches the history of one user's live threads: finished runs, not the one under way."""

    def __init__(self, table: Table, user_id: str) -> None:
        self._table = table
        self._user = user_id

    async def find(self, query: str, *, limit: int) -> tuple[Found, ...]:
        """Finds messages that hold every word of `query`, in any case and order.

        Args:
            query: Without a word in it nothing is found.
            limit: How many messages to return at most.

        Returns:
            The newest first within each thread, and the newest thread first, of at most `MAX_THREADS` threads and
            `MAX_PIECES` runs. A run that is being deleted is passed over.
        """
        words = re.findall(r"\w+", query.casefold())
        found: list[Found] = []
        if not words or limit < 1:
            return ()
        async for thread, piece in self._pieces():
            for message in reversed(await self._messages(piece)):
                text = _text(message)
                if text and all(word in text.casefold() for word in words):
                    by = "you" if isinstance(message, UserSaid) else "the assistant"
                    found.append(Found(thread.thread_id, thread.title, by, _excerpt(text, words[0]), piece.at))
                    if len(found) == limit:
                        return tuple(found)
        return tuple(found)

    async def _pieces(self) -> AsyncIterator[tuple[ThreadRow, HistoryRow]]:
        span = Span.prefix(keys.user_partition(self._user), keys.THREADS)
        left = MAX_PIECES
        for thread in await self._table.query(span, ThreadRow, limit=MAX_THREADS, descending=True):
            if thread.state != ThreadState.LIVE:
                continue
            async for rows in newest_rows(self._table, thread, limit=left, at_once=left):
                left -= len(rows)
                for row in rows:
                    yield thread, row

    async def _messages(self, piece: HistoryRow) -> tuple[Message, ...]:
        """What was said; chunks that hold nothing but calls and their results are passed over."""
        said = [(piece, chunk) for chunk, shown in enumerate(piece.shown) if shown]
        try:
            chunks = await read_chunks(self._table, said)
        except KeyError:
            return ()  # being deleted
        return messages_in(fragment for chunk in chunks for fragment in chunk)


def _text(message: Message) -> str:
    return message.text if isinstance(message, UserSaid | AssistantSaid) else ""


def _excerpt(text: str, word: str) -> str:
    text = " ".join(text.split())
    start = max(0, text.casefold().find(word) - EXCERPT_CHARS // 3)
    cut = text[start : start + EXCERPT_CHARS]
    return f"{'…' if start else ''}{cut}{'…' if start + EXCERPT_CHARS < len(text) else ''}"
