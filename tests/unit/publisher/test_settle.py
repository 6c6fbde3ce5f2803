"""Repeating what is unsettled."""

import asyncio
import random

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


@pytest.mark.parametrize("patience_s", [0.3, 2.0, 5.0, PATIENCE_S])
async def test_patience_ends(patience_s: float, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A call that stays unsettled is begun for the last time exactly when its patience ends, whatever the pauses are
    drawn to be: on every one of 500 seeds, and from whatever moment on."""
    world.table.plan = lambda call: Fault.REFUSED
    for seed in range(500):
        dice = random.Random(seed)
        monkeypatch.setattr(random, "uniform", dice.uniform)
        await asyncio.sleep(dice.uniform(0, 10))
        until = world.clock.monotonic() + patience_s
        with pytest.raises(Unsettled):
            await settle(world.table, Put(NOTE), patience_s=patience_s)
        assert world.clock.monotonic() == pytest.approx(until, abs=1e-9), seed


async def test_patience_is_fifteen_seconds(world: World) -> None:
    """Unless the caller says otherwise."""
    world.table.plan = lambda call: Fault.REFUSED
    with pytest.raises(Unsettled):
        await settle(world.table, Put(NOTE))
    assert world.clock.monotonic() == PATIENCE_S == 15


async def test_no_patience_is_one_try(world: World) -> None:
    """Without patience a call is made once, and nothing is waited for."""
    world.table.plan = lambda call: Fault.REFUSED
    with pytest.raises(Unsettled):
        await settle(world.table, Put(NOTE), patience_s=0)
    assert (len(world.table.calls), world.clock.monotonic()) == (1, 0)


async def test_what_is_answered_at_the_last_moment_is_taken(world: World) -> None:
    """The last try is made when the patience ends, and its answer counts."""
    world.table.plan = lambda call: Fault.REFUSED if world.clock.monotonic() < 2 else None
    await settle(world.table, Put(NOTE), patience_s=2)
    assert world.rows(NoteRow) == [NOTE]


async def test_a_condition_that_fails_is_told_at_once(world: World) -> None:
    """A failed condition is settled: it is not repeated."""
    await settle(world.table, Put(NOTE))
    with pytest.raises(ConditionsFailed):
        await settle(world.table, Put(NOTE, Absent()))
    assert asyncio.get_running_loop().time() == 0
