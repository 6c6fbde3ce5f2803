"""The user's notes."""

import pytest

from dayfly.agents.notes import MAX_NOTES, NOTE_CHARS, NoteRefused, Notes
from dayfly.ports.memory import MemoryTable


async def test_notes_are_told_in_the_order_of_their_time() -> None:
    """Oldest first, whatever their keys."""
    notes = Notes(MemoryTable(), "u-alice")
    for number in range(8):
        await notes.add(f"note {number}", at=number, idempotency_key=f"r-1:{number}")
    assert [note.text for note in await notes.all()] == [f"note {number}" for number in range(8)]


async def test_the_same_call_again_keeps_one_note() -> None:
    """A repeat under the same idempotency key changes nothing."""
    notes = Notes(MemoryTable(), "u-alice")
    await notes.add("once", at=1, idempotency_key="r-1:c-1")
    await notes.add("once", at=2, idempotency_key="r-1:c-1")
    assert [(note.text, note.at) for note in await notes.all()] == [("once", 1)]


async def test_notes_are_the_users_own() -> None:
    """Another user's notes are not seen, and lie in another partition."""
    table = MemoryTable()
    await Notes(table, "u-alice").add("mine", at=1, idempotency_key="r-1:c-1")
    assert await Notes(table, "u-bob").all() == ()
    assert {key.pk for key in table.rows} == {"USER#u-alice"}


@pytest.mark.parametrize("text", ["", "  \n", "x" * (NOTE_CHARS + 1)])
async def test_a_note_is_neither_empty_nor_too_long(text: str) -> None:
    """Such a note is refused."""
    with pytest.raises(NoteRefused):
        await Notes(MemoryTable(), "u-alice").add(text, at=1, idempotency_key="r-1:c-1")


async def test_notes_are_limited_in_number() -> None:
    """One too many is refused; a repeat of one that is kept is not."""
    notes = Notes(MemoryTable(), "u-alice")
    for number in range(MAX_NOTES):
        await notes.add("text", at=number, idempotency_key=f"r-1:{number}")
    with pytest.raises(NoteRefused, match=str(MAX_NOTES)):
        await notes.add("text", at=1, idempotency_key="r-1:more")
    await notes.add("text", at=1, idempotency_key="r-1:0")
