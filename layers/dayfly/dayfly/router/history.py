"""`history`: a thread's messages, read backwards a page at a time."""

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Final, Literal

from dayfly.errors import InvalidMessage
from dayfly.history.chunks import Fragment, read_chunks
from dayfly.history.reader import newest_rows
from dayfly.log.messages import AssistantSaid, UserSaid
from dayfly.protocol.events import Finish
from dayfly.protocol.frames import History
from dayfly.protocol.replies import HistoryMessage, HistoryPage
from dayfly.router.request import Request
from dayfly.runs.lookup import live_thread
from dayfly.store import keys
from dayfly.store.rows import HistoryRow, ThreadRow
from dayfly.store.table import Table
from dayfly.text import json_string_bytes, rfc3339

PAGE_BYTES: Final = 24 * 1024
"""Bytes of text in one page of history; with the envelopes it stays below a frame."""
PAGE_MESSAGES: Final = 40

PAGE_TURNS: Final = 20
AT_ONCE: Final = 2
"""Runs, and chunks of their texts, that a page reads first: a page of long texts lies in two chunks."""

_CURSOR: Final = re.compile(r"([0-9]{1,9})\.([0-9]{8})\.([A-Za-z0-9_-]{1,64})\.([A-Za-z0-9_-]{1,64})")
_ALL: Final = 999_999_999


async def history(request: Request, frame: History) -> HistoryPage:
    """A page of the thread's messages, oldest first, ending before the cursor. Long messages come in pieces, so that
    every page fits into a frame.

    Raises:
        ThreadNotFound: There is no such thread, or it was forgotten.
        InvalidMessage: `before` is not a cursor that this backend gave.
        Unsettled: The table did not answer.
    """
    thread = await live_thread(request.ports.table, user_id=request.caller.user_id, thread_id=frame.thread_id)
    head, end = _cursor(thread, frame.before) if frame.before is not None else (None, _ALL)
    page: list[HistoryMessage] = []
    size = 0
    before: str | None = None
    async for row, index, fragment in _newest_shown(request.ports.table, thread, head=head, end=end):
        size += json_string_bytes(fragment.text)
        if page and (size > PAGE_BYTES or len(page) >= PAGE_MESSAGES):
            return _history(frame, page, before=_before(row, index + 1))
        page.append(_message(row, fragment))
        # All that was read may be shown; what came before it starts at the end of the piece before.
        before = f"{_ALL}.{_name(row.previous)}" if row.previous else None
    return _history(frame, page, before=before)


def _history(frame: History, page: list[HistoryMessage], *, before: str | None) -> HistoryPage:
    return HistoryPage(id=frame.id, thread_id=frame.thread_id, messages=tuple(reversed(page)), before=before)


async def _newest_shown(
    table: Table, thread: ThreadRow, *, head: str | None, end: int
) -> AsyncIterator[tuple[HistoryRow, int, Fragment]]:
    """What a reader sees of up to `PAGE_TURNS` runs, newest first: the user's text and the assistant's. `end` bounds
    the newest run's. Little is read first, and each time that more is wanted a multiple of that, so that a full page
    has cost little more than it shows, in few calls."""
    count = AT_ONCE
    async for rows in newest_rows(table, thread, limit=PAGE_TURNS, at_once=AT_ONCE, head=head):
        chunks: list[_Shown] = []
        for row in rows:
            chunks += _shown(row, end)
            end = _ALL
        while chunks:
            now, chunks = chunks[:count], chunks[count:]
            for chunk, fragments in zip(now, await read_chunks(table, [(c.row, c.place) for c in now]), strict=True):
                shown = [fragment for fragment in fragments if fragment.shown][: chunk.stop - chunk.start]
                for index, fragment in reversed(tuple(enumerate(shown, chunk.start))):
                    yield chunk.row, index, fragment
            count *= 2


@dataclass(frozen=True, slots=True)
class _Shown:
    """What is to be shown of a chunk: the run's pieces from `start` on, before `stop`."""

    row: HistoryRow
    place: int
    start: int
    stop: int


def _shown(row: HistoryRow, end: int) -> list[_Shown]:
    """The chunks that hold what a reader sees of the run before piece `end`, newest first."""
    chunks: list[_Shown] = []
    start = 0
    for place, count in enumerate(row.shown):
        if count and start < end:
            chunks.append(_Shown(row, place, start, min(start + count, end)))
        start += count
    return chunks[::-1]


def _message(row: HistoryRow, fragment: Fragment) -> HistoryMessage:
    message = fragment.message
    role: Literal["user", "assistant"] = "user" if isinstance(message, UserSaid) else "assistant"
    finish = message.finish if isinstance(message, AssistantSaid) else Finish.COMPLETE
    return HistoryMessage(
        role=role,
        text=fragment.text,
        run_id=row.run_id,
        at=rfc3339(row.at),
        continued=fragment.continued,
        finish=None if finish is Finish.COMPLETE else finish,
    )


def _before(row: HistoryRow, end: int) -> str:
    """The cursor of all that stands before piece `end` of this run, and before this run."""
    return f"{end}.{_name(row.key.sk)}"


def _name(sk: str) -> str:
    """A piece's sort key as a cursor carries it: without the prefix, which the thread gives."""
    return ".".join(sk.split("#")[2:])


def _cursor(thread: ThreadRow, before: str) -> tuple[str, int]:
    match = _CURSOR.fullmatch(before)
    if match is None:
        raise InvalidMessage("`before` is not a cursor that this backend gave.")
    end, turn, run, nonce = match.groups()
    return keys.history_key(thread.user_id, thread.thread_id, int(turn), run, nonce).sk, int(end)
