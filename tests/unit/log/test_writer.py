"""Compare-and-append, and every judgement on what it meets."""

from dataclasses import replace

import pytest

from dayfly.errors import Superseded, Unsettled
from dayfly.log.batch import Batch, Emitted
from dayfly.log.journal import JournalEntry, journal_of, unpack_journal
from dayfly.log.messages import AssistantSaid
from dayfly.log.writer import RECORD_ALONE, Lost, Plan
from dayfly.store.large_values import INLINE_BYTES
from dayfly.store.rows import LogRow, NoteRow, PartRow
from dayfly.store.table import Absent, Action, Check, Matches, Put
from tests.fakes.faulty_table import Fault
from tests.fakes.world import World
from tests.unit.delivery.support import item, staged


async def test_appends_follow_each_other(world: World) -> None:
    """Each batch stands at the seq behind the one before, under one nonce, with growing ordinals."""
    stage = await staged(world)
    writer = stage.writer()
    await writer.append((item(1), item(2)), RECORD_ALONE)
    await writer.append((item(3),), RECORD_ALONE)
    rows = world.rows(LogRow)[1:]
    assert [(row.first, row.last, row.ordinal) for row in rows] == [(2, 3, 0), (4, 4, 1)]
    assert {row.nonce for row in rows} == {writer.nonce}
    assert writer.next_seq == 5


@pytest.mark.parametrize("fault", list(Fault))
async def test_an_own_record_is_known_again(world: World, fault: Fault) -> None:
    """A Put that was refused, or whose answer was lost, ends as one record at its seq."""
    stage = await staged(world)
    writer = stage.writer()
    world.table.fail_once(0, fault)
    await writer.append((item(),), RECORD_ALONE)
    assert [row.first for row in world.rows(LogRow)] == [1, 2]
    assert writer.next_seq == 3


async def test_an_earlier_put_that_landed_late_is_adopted(world: World) -> None:
    """The own nonce with another ordinal is gone on behind: the new batch is renumbered after its last seq."""
    stage = await staged(world)
    writer = stage.writer()
    earlier = await stage.writer(nonce=writer.nonce).append((item(1), item(2)), RECORD_ALONE)
    writer._ordinal = 1
    committed = await writer.append((item(3),), RECORD_ALONE)
    assert earlier.row.last == 3
    assert (committed.row.first, committed.batch.events[0].seq, committed.row.ordinal) == (4, 4, 1)
    assert [event["seq"] for event in world.log(stage.call.run_id)] == [1, 2, 3, 4]


async def test_another_writers_record_supersedes(world: World) -> None:
    """Where another nonce holds the seq, the writer is superseded, and has written nothing."""
    stage = await staged(world)
    await stage.writer().append((item(),), RECORD_ALONE)
    before = dict(world.memory.rows)
    with pytest.raises(Superseded):
        await stage.writer().append((item(),), RECORD_ALONE)
    assert world.memory.rows == before


async def test_of_two_writers_one_wins(world: World) -> None:
    """Where an answer is lost and another writer came first, the loser knows that it lost."""
    stage = await staged(world)
    world.table.fail_once(0, Fault.REFUSED)
    loser, winner = stage.writer(), stage.writer()

    async def first() -> None:
        with pytest.raises(Superseded):
            await loser.append((item(),), RECORD_ALONE)

    world.table.plan = lambda call: Fault.REFUSED if len(world.rows(LogRow)) == 1 and call.number == 2 else None
    await winner.append((item(),), RECORD_ALONE)
    await first()
    assert len(world.rows(LogRow)) == 2


async def test_what_stays_unknown_is_told(world: World) -> None:
    """A log that cannot be reached raises `Unsettled` after the patience of one write."""
    stage = await staged(world)
    world.table.plan = lambda call: Fault.REFUSED
    with pytest.raises(Unsettled):
        await stage.writer().append((item(),), RECORD_ALONE)


class BesideANote:
    """Writes a note beside, on the version of another note that a rival may move."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.built: list[tuple[LogRow, str | None]] = []
        self.lost_at: list[set[str]] = []

    async def plan(self, row: LogRow, batch: Batch) -> Plan[str | None]:
        notes = [note for note in self.world.rows(NoteRow) if note.note_id == "moves"]
        seen = notes[0].text if notes else None
        self.built.append((row, seen))
        if len(self.built) == 1:  # a rival moves it between this look and the write
            moved = NoteRow(user_id="u-alice", note_id="moves", text="1", at=0)
            self.world.memory._rows[moved.key] = moved
        mine = NoteRow(user_id="u-alice", note_id="moves", text="2", at=0)
        return Plan({"note": Put(mine, Matches(text=seen) if seen else Absent())}, seen)

    def lost(self, found: Lost) -> None:
        self.lost_at.append(set(found))


async def test_a_lost_transition_is_planned_anew(world: World) -> None:
    """Where only conditions of the plan failed, it is planned again, with the same log item, as a new transaction; what
    the commit gives back is the result of the plan that was carried out."""
    stage = await staged(world)
    transition = BesideANote(world)
    committed = await stage.writer().append((item(),), transition)
    assert committed.result == "1"
    assert transition.lost_at == [{"note"}]
    assert [seen for _, seen in transition.built] == [None, "1"]
    assert transition.built[0][0] == transition.built[1][0]
    assert [note.text for note in world.rows(NoteRow)] == ["2"]
    assert len(world.rows(LogRow)) == 2


async def test_a_lost_answer_of_a_transaction_is_success(world: World) -> None:
    """A transaction that landed unheard of is known again, and its transition is not planned a second time."""
    stage = await staged(world)
    transition = BesideANote(world)
    transition.built.append((world.rows(LogRow)[0], None))
    world.table.fail_once(0, Fault.ANSWER_LOST)
    await stage.writer().append((item(),), transition)
    assert transition.lost_at == []
    assert len(transition.built) == 2


async def test_a_long_journal_lies_in_parts(world: World) -> None:
    """A journal over the inline size is written in parts beforehand, and read back whole."""
    stage = await staged(world)
    text = "".join(chr(0x4E00 + (n * 7919) % 20_000) for n in range(200_000))
    said = AssistantSaid(text)
    committed = await stage.writer().append((item(), Emitted(None, said, "t")), RECORD_ALONE)
    assert committed.row.journal == b""
    assert committed.row.journal_parts == len(world.rows(PartRow)) > 1
    assert unpack_journal(await journal_of(world.table, committed.row)) == (JournalEntry(2, said),)
    assert sum(len(part.data) for part in world.rows(PartRow)) > INLINE_BYTES


async def test_the_invocation_stands_in_each_record(world: World) -> None:
    """A record names the invocation that wrote it: recovery knows by it whose engine died."""
    stage = await staged(world)
    committed = await stage.writer().append((item(),), RECORD_ALONE)
    assert committed.row.invocation_id == "i-1"
    assert replace(committed.row) == world.rows(LogRow)[1]


class OnThreeNotes:
    """Writes a note on three others' being there or not, of which a rival moves some between look and write."""

    def __init__(self, world: World, moved: set[str]) -> None:
        self.world = world
        self.moved = moved
        self.told: list[Lost] = []

    async def plan(self, row: LogRow, batch: Batch) -> Plan[None]:
        actions: dict[str, Action] = {
            name: Check(NoteRow(user_id="u-alice", note_id=name, text="", at=0).key, Absent()) for name in "abc"
        }
        for name in self.moved:
            note = NoteRow(user_id="u-alice", note_id=name, text="there", at=0)
            self.world.memory._rows[note.key] = note
        return Plan(actions, None)

    def lost(self, found: Lost) -> None:
        self.told.append(found)
        raise Superseded("lost")


@pytest.mark.parametrize("moved", [{"a"}, {"b"}, {"c"}, {"a", "c"}, {"a", "b", "c"}], ids=["a", "b", "c", "ac", "abc"])
async def test_lost_conditions_are_told_by_name(world: World, moved: set[str]) -> None:
    """Exactly those that did not hold, each with the row that is there; nothing is written."""
    stage = await staged(world)
    transition = OnThreeNotes(world, moved)
    with pytest.raises(Superseded):
        await stage.writer().append((item(),), transition)
    assert [set(told) for told in transition.told] == [moved]
    for name, there in transition.told[0].items():
        assert isinstance(there, NoteRow)
        assert (there.note_id, there.text) == (name, "there")
    assert len(world.rows(LogRow)) == 1


async def test_a_taken_seq_outweighs_lost_conditions(world: World) -> None:
    """Where another writer has the seq, the transition is not asked what its own losses mean."""
    stage = await staged(world)
    await stage.writer().append((item(),), RECORD_ALONE)
    transition = OnThreeNotes(world, {"a"})
    with pytest.raises(Superseded, match="another writer's"):
        await stage.writer().append((item(),), transition)
    assert transition.told == []
