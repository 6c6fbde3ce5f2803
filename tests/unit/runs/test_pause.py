"""The step by which a run comes to wait for its user."""

from dataclasses import replace
from typing import Any

import pytest

from dayfly.errors import Superseded
from dayfly.protocol.events import AgentThinking
from dayfly.runs.lease import held_by, held_lease
from dayfly.runs.pause import Pause
from dayfly.store.rows import LeaseRow, LeaseState, LogRow, RunRow
from dayfly.store.table import Matches, Put
from tests.fakes.world import World
from tests.unit.delivery.support import Stage, staged

EVENT = AgentThinking(reasoning="…", step_number=1)


async def held(world: World) -> tuple[Stage, LeaseRow]:
    """A stage whose run is held by an engine with the nonce `mine`, and which has answers of an earlier question."""
    stage = await staged(world)
    lease = held_lease(world.leases()[0], nonce="mine", now=world.clock.now_ms())
    await world.memory.write(Put(lease), Put(replace(stage.run, answers=("{}",), answered=1)))
    return stage, lease


def pause_of(stage: Stage, lease: LeaseRow) -> Pause:
    run = stage.run
    return Pause(
        run=run, lease=lease, call_ids=("c-1", "c-2"), expires=9000, lease_is=lambda: Matches(**held_by(run, "mine"))
    )


async def test_a_pause_is_one_transaction(world: World) -> None:
    """The record, the run with its open calls and no answers, and a lease that is due when they expire; the commit
    gives the two rows back."""
    stage, lease = await held(world)
    world.table.calls.clear()
    async with stage.bridge(stage.writer(nonce="mine")) as bridge:
        committed = await bridge.commit(EVENT, pause_of(stage, lease), last=True)
    (write,) = [call for call in world.table.calls if call.method == "write"]
    assert [type(action.row) for action in write.actions if isinstance(action, Put)] == [LogRow, RunRow, LeaseRow]
    assert (stage.run.pending, stage.run.answers, stage.run.answered) == (("c-1", "c-2"), (), 0)
    (waiting,) = world.leases()
    assert (waiting.state, waiting.due, waiting.nonce) == (LeaseState.APPROVAL, 9000, "mine")
    assert (committed.result.run, committed.result.lease) == (stage.run, waiting)


@pytest.mark.parametrize("moved", [{"nonce": "other"}, {"state": LeaseState.ENDED}, {"first_seq": 9}], ids=str)
async def test_an_engine_without_the_lease_does_not_pause(world: World, moved: dict[str, Any]) -> None:
    """Where another has it, or the run has ended, nothing is written."""
    stage, lease = await held(world)
    pause = pause_of(stage, lease)
    await world.memory.write(Put(replace(lease, **moved)))
    before = dict(world.memory.rows)
    async with stage.bridge(stage.writer(nonce="mine")) as bridge:
        with pytest.raises(Superseded, match="lease"):
            await bridge.commit(EVENT, pause, last=True)
    assert world.memory.rows == before


@pytest.mark.parametrize("moved", [{"attempt": 2}, {"first_seq": 9}], ids=str)
async def test_an_earlier_attempt_does_not_pause(world: World, moved: dict[str, Any]) -> None:
    """The run's present attempt is another's."""
    stage, lease = await held(world)
    pause = pause_of(stage, lease)
    await world.memory.write(Put(replace(stage.run, **moved)))
    before = dict(world.memory.rows)
    async with stage.bridge(stage.writer(nonce="mine")) as bridge:
        with pytest.raises(Superseded, match="run"):
            await bridge.commit(EVENT, pause, last=True)
    assert world.memory.rows == before
