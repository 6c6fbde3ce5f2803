"""The user's notes."""

import pytest

from dayfly.agents.notes import MAX_NOTES, NOTE_CHARS, NoteRefused, Notes
from dayfly.store.memory import MemoryTable
from dayfly.store.rows import NoteRow
from dayfly.store.table import Put


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


async def kept(*texts: str) -> Notes:
    notes = Notes(MemoryTable(), "u-alice")
    for number, text in enumerate(texts):
        await notes.add(text, at=number, idempotency_key=f"r-1:{number}")
    return notes


@pytest.mark.parametrize(
    ("text", "removed"),
    [
        ("X17", ["my code is X17", "X17 is old"]),
        ("CODE is  x17", ["my code is X17"]),
        ("old x17", ["X17 is old"]),
        ("cat", []),
        ("my code is X17!", ["my code is X17"]),
        ("X1", []),
        ("C++", ["I like C++"]),
        ("my X17 catalogue", []),
    ],
)
async def test_removing_takes_what_holds_the_text(text: str, removed: list[str]) -> None:
    """As it stands, else by all of its words; a part of a word is no match. What is left is kept."""
    texts = ["my code is X17", "the catalogue is blue", "X17 is old", "vitamin C", "I like C++"]
    notes = await kept(*texts)
    assert [note.text for note in await notes.remove(text)] == removed
    assert [note.text for note in await notes.all()] == [one for one in texts if one not in removed]


@pytest.mark.parametrize("text", ["", "  ", "?!"])
async def test_removing_needs_a_word(text: str) -> None:
    """Nothing in particular is not everything."""
    notes = await kept("a", "b")
    with pytest.raises(NoteRefused):
        await notes.remove(text)
    assert len(await notes.all()) == 2


async def test_removing_again_removes_nothing_more() -> None:
    """A second attempt finds the work done."""
    notes = await kept("one X17", "two")
    assert len(await notes.remove("X17")) == 1
    assert await notes.remove("X17") == ()
    assert [note.text for note in await notes.all()] == ["two"]


async def test_more_notes_than_one_transaction_takes_are_removed() -> None:
    """Runs side by side may have kept one note too many."""
    table = MemoryTable()
    for number in range(MAX_NOTES + 1):
        await table.write(Put(NoteRow(user_id="u-alice", note_id=f"n{number}", text="same", at=number)))
    notes = Notes(table, "u-alice")
    assert len(await notes.remove("same")) == MAX_NOTES + 1
    assert await notes.all() == ()


async def test_nobody_elses_notes_are_removed() -> None:
    """Each user's notes are their own."""
    table = MemoryTable()
    await Notes(table, "u-alice").add("mine", at=1, idempotency_key="r-1:c-1")
    assert await Notes(table, "u-bob").remove("mine") == ()
    assert len(await Notes(table, "u-alice").all()) == 1
