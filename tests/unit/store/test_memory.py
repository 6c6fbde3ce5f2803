"""What only the in-memory table can show. (Its meaning is in the contract suite.)"""

import asyncio

import pytest

from dayfly.store.memory import MemoryTable
from dayfly.store.rows import NoteRow
from dayfly.store.table import Absent, ConditionsFailed, Matches, Put
from tests.fakes.ports import ManualClock

ROW = NoteRow(user_id="u", note_id="n", text="x", at=1)


async def test_a_token_counts_for_ten_minutes() -> None:
    """After ten minutes a repeat is a new transaction, as on DynamoDB."""
    clock = ManualClock()
    table = MemoryTable(clock=clock)
    await table.write(Put(ROW, Absent()), token="t")
    clock.advance(599)
    await table.write(Put(ROW, Absent()), token="t")
    clock.advance(2)
    with pytest.raises(ConditionsFailed):
        await table.write(Put(ROW, Absent()), token="t")


async def test_of_concurrent_writers_one_wins() -> None:
    """A call gives way to others before it happens, and happens at one moment."""
    table = MemoryTable()
    writes = [
        table.write(Put(NoteRow(user_id="u", note_id="n", text=str(place), at=1), Absent())) for place in range(20)
    ]
    results = await asyncio.gather(*writes, return_exceptions=True)
    assert [type(result) for result in results].count(ConditionsFailed) == 19


def test_conditions_are_values() -> None:
    """Two conditions on the same fields are equal, so transactions can be compared."""
    assert Matches(a=1, b=None) == Matches(b=None, a=1)
    assert len({Matches(a=1), Matches(a=1), Matches(a="1")}) == 2
    assert repr(Matches(a=1)) == "Matches(a=1)"


def test_a_clock_does_not_go_back() -> None:
    """A step back is an error; both clocks move together."""
    clock = ManualClock(now_ms=1000)
    clock.advance(1.5)
    assert (clock.now_ms(), clock.monotonic()) == (2500, 1.5)
    with pytest.raises(ValueError, match="back"):
        clock.advance(-1)
