"""The user's own notes."""

import base64
import hashlib
from typing import Final

from dayfly.errors import DayflyError
from dayfly.ports.table import Absent, ConditionsFailed, Put, Span, Table
from dayfly.runlog import keys
from dayfly.runlog.rows import NoteRow

NOTE_CHARS: Final = 1_000
MAX_NOTES: Final = 100


class NoteRefused(DayflyError):
    """A note that is empty or too long, or one too many."""


class Notes:
    """The notes of one user, at most `MAX_NOTES` of `NOTE_CHARS` characters."""

    def __init__(self, table: Table, user: str) -> None:
        self._table = table
        self._user = user

    async def add(self, text: str, *, at: int, idempotency_key: str) -> None:
        """Keeps a note; `at` in milliseconds since the epoch. The same key again changes nothing.

        Raises `NoteRefused`. The count is checked without a lock: runs at the same moment may pass it by a few.
        """
        text = text.strip()
        if not text:
            raise NoteRefused("There is nothing to remember.")
        if len(text) > NOTE_CHARS:
            raise NoteRefused(f"A note has at most {NOTE_CHARS} characters.")
        row = NoteRow(user=self._user, note=_name(idempotency_key), text=text, at=at)
        kept = await self._rows()
        if any(other.key == row.key for other in kept):
            return
        if len(kept) >= MAX_NOTES:
            raise NoteRefused(f"There are {MAX_NOTES} notes already, which is the most I keep.")
        try:
            await self._table.write(Put(row, Absent()))
        except ConditionsFailed:
            return  # an attempt before this one wrote it

    async def all(self) -> tuple[NoteRow, ...]:
        """All notes, oldest first."""
        return tuple(sorted(await self._rows(), key=lambda row: (row.at, row.note)))

    async def _rows(self) -> tuple[NoteRow, ...]:
        span = Span.prefix(keys.user_partition(self._user), keys.NOTES)
        return await self._table.query(span, NoteRow, limit=MAX_NOTES + 1)


def _name(idempotency_key: str) -> str:
    # A hash, because a model's own tool call id may hold characters that no key may.
    return base64.b32encode(hashlib.sha256(idempotency_key.encode()).digest()[:16]).decode().rstrip("=").lower()
