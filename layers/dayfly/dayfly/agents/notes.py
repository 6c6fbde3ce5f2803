"""The user's own notes: what tools keep of a user from one run to the next."""

import base64
import hashlib
import re
from collections.abc import Sequence
from typing import Final

from dayfly.errors import DayflyError
from dayfly.store import keys
from dayfly.store.rows import NoteRow
from dayfly.store.table import Absent, ConditionsFailed, Delete, Put, Span, Table

NOTE_CHARS: Final = 1_000
MAX_NOTES: Final = 100
_AT_ONCE: Final = 100
"""Rows that one transaction may remove."""


class NoteRefused(DayflyError):
    """A note that is empty or too long, or one too many; or no word of which to remove."""


class Notes:
    """The notes of one user, at most `MAX_NOTES` of `NOTE_CHARS` characters."""

    def __init__(self, table: Table, user_id: str) -> None:
        self._table = table
        self._user = user_id

    async def add(self, text: str, *, at: int, idempotency_key: str) -> None:
        """Keeps a note. The count is checked without a lock: runs at the same moment may pass it by a few.

        Args:
            text: Without the blanks around it, up to `NOTE_CHARS` characters.
            at: When, in milliseconds since the epoch.
            idempotency_key: The same key again changes nothing.

        Raises:
            NoteRefused: The note is empty or too long, or there are `MAX_NOTES` already.
        """
        text = text.strip()
        if not text:
            raise NoteRefused("There is nothing to remember.")
        if len(text) > NOTE_CHARS:
            raise NoteRefused(f"A note has at most {NOTE_CHARS} characters.")
        row = NoteRow(user_id=self._user, note_id=_name(idempotency_key), text=text, at=at)
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
        return tuple(sorted(await self._rows(), key=lambda row: (row.at, row.note_id)))

    async def remove(self, text: str) -> tuple[NoteRow, ...]:
        """Removes the notes that hold this text, in any case; if none does, those that hold all of its words.

        Returns:
            The removed notes, oldest first.

        Raises:
            NoteRefused: The text has no word in it.
        """
        if not _words(text):
            raise NoteRefused("Say what the note holds that is to be removed.")
        removed = _holding(text, await self.all())
        for place in range(0, len(removed), _AT_ONCE):
            await self._table.write(*(Delete(row.key) for row in removed[place : place + _AT_ONCE]))
        return removed

    async def _rows(self) -> tuple[NoteRow, ...]:
        span = Span.prefix(keys.user_partition(self._user), keys.NOTES)
        return await self._table.query(span, NoteRow, limit=MAX_NOTES + 1)


def _holding(text: str, notes: Sequence[NoteRow]) -> tuple[NoteRow, ...]:
    # A part of a word is no match: who asks to forget the note about a cat does not mean the catalogue.
    whole = re.compile(rf"(?<!\w){re.escape(_folded(text))}(?!\w)")
    literally = tuple(note for note in notes if whole.search(_folded(note.text)))
    return literally or tuple(note for note in notes if _words(text) <= _words(note.text))


def _folded(text: str) -> str:
    return " ".join(text.casefold().split())


def _words(text: str) -> set[str]:
    return set(re.findall(r"\w+", text.casefold()))


def _name(idempotency_key: str) -> str:
    # A hash, because a model's own tool call id may hold characters that no key may.
    return base64.b32encode(hashlib.sha256(idempotency_key.encode()).digest()[:16]).decode().rstrip("=").lower()
