"""Repeating what is unsettled."""

import asyncio

import pytest

from dayfly.errors import Unsettled
from dayfly.ports.table import Absent, ConditionsFailed, Put
from dayfly.publisher.settle import PATIENCE_S, settle
from dayfly.runlog.rows import NoteRow
from tests.fakes.faulty_table import Fault
from tests.fakes.world import World

NOTE = NoteRow(user="u-1", note="n", text="x", at=0)


async def test_a_refused_write_is_repeated(world: World) -> None:
    """Refusals are repeated, byte for byte, until the write is done."""
    world.table.plan = lambda call: Fault.REFUSED if call.number < 5 else None
    await settle(world.table, Put(NOTE, Absent()))
    assert world.rows(NoteRow) == [NOTE]
    assert len({call.actions for call in world.table.calls}) == 1


async def test_a_lost_answer_of_a_transaction_is_success(world: World) -> None:
    """Under a token, the repeat of a write that had landed is success."""
    world.table.fail_once(0, Fault.ANSWER_LOST)
    await settle(world.table, Put(NOTE, Absent()), token="t")
    assert world.rows(NoteRow) == [NOTE]


async def test_a_lost_answer_without_a_token_returns_the_own_row(world: World) -> None:
    """Without a token the repeat meets its own row, and the caller is given it to know it again."""
    world.table.fail_once(0, Fault.ANSWER_LOST)
    with pytest.raises(ConditionsFailed) as failed:
        await settle(world.table, Put(NOTE, Absent()))
    assert failed.value.found == {0: NOTE}


async def test_patience_ends(world: World) -> None:
    """After 15 s a write that stays unsettled is given up, not much earlier and not later."""
    assert PATIENCE_S == 15
    world.table.plan = lambda call: Fault.REFUSED
    with pytest.raises(Unsettled):
        await settle(world.table, Put(NOTE))
    assert PATIENCE_S - 2 <= world.clock.monotonic() <= PATIENCE_S + 1


async def test_a_condition_that_fails_is_told_at_once(world: World) -> None:
    """A failed condition is settled: it is not repeated."""
    await settle(world.table, Put(NOTE))
    with pytest.raises(ConditionsFailed):
        await settle(world.table, Put(NOTE, Absent()))
    assert asyncio.get_running_loop().time() == 0
