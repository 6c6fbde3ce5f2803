"""A table whose reads are repeated."""

from collections.abc import Awaitable, Callable

import pytest

from dayfly.errors import Unsettled
from dayfly.store.retry import RetryingTable
from dayfly.store.rows import NoteRow
from dayfly.store.table import Put, Span
from tests.fakes.faulty_table import Fault
from tests.fakes.world import World

NOTE = NoteRow(user_id="u", note_id="n", text="x", at=1)
SPAN = Span(NOTE.key.pk, "NOTE#a", "NOTE#z")

READS: dict[str, tuple[Callable[[RetryingTable], Awaitable[object]], object]] = {
    "get": (lambda table: table.get(NOTE.key, NoteRow), NOTE),
    "get_many": (lambda table: table.get_many([NOTE.key]), {NOTE.key: NOTE}),
    "query": (lambda table: table.query(SPAN, NoteRow, limit=3), (NOTE,)),
    "query_live": (lambda table: table.query_live(SPAN, limit=3), (NOTE,)),
    "due_leases": (lambda table: table.due_leases("LEASES#0", before=9, limit=3), ()),
}


@pytest.mark.parametrize("name", READS)
async def test_a_read_is_repeated_while_there_is_patience(world: World, name: str) -> None:
    """A read that is refused is asked again, until it is answered or the time is over."""
    read, answer = READS[name]
    await world.memory.write(Put(NOTE))
    table = RetryingTable(world.table, 2.0)
    world.table.fail_once(0, Fault.REFUSED)
    assert await read(table) == answer
    assert len(world.table.calls) == 2
    world.table.plan = lambda _: Fault.REFUSED
    began = world.clock.monotonic()
    with pytest.raises(Unsettled):
        await read(table)
    assert 1 <= world.clock.monotonic() - began <= 3


async def test_how_a_query_is_asked_is_passed_on(world: World) -> None:
    """Limit and order are the caller's."""
    notes = [NoteRow(user_id="u", note_id=name, text="x", at=1) for name in "abc"]
    for note in notes:
        await world.memory.write(Put(note))
    table = RetryingTable(world.table, 2.0)
    assert await table.query(SPAN, NoteRow, limit=2) == tuple(notes[:2])
    assert await table.query(SPAN, NoteRow, limit=2, descending=True) == tuple(notes[:0:-1])
    assert await table.query_live(SPAN, limit=2) == tuple(notes[:2])


async def test_a_write_is_passed_on_once(world: World) -> None:
    """Whoever writes knows whether, and how, that may be repeated."""
    table = RetryingTable(world.table, 2.0)
    world.table.fail_once(0, Fault.REFUSED)
    with pytest.raises(Unsettled):
        await table.write(Put(NOTE))
    assert world.memory.rows == {}
    await table.write(Put(NOTE), token="t")
    assert world.memory.rows == {NOTE.key: NOTE}
