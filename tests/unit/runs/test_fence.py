"""Opening a run's next attempt: one transaction, after which no earlier engine can write."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from dayfly.delivery.bridge import WebSocketBridge
from dayfly.errors import Superseded
from dayfly.log.writer import RECORD_ALONE
from dayfly.protocol.events import AgentResumed
from dayfly.runs.lease import as_read
from dayfly.runs.resume import OpenAttempt
from dayfly.store.rows import LeaseRow, LogRow, RunRow
from dayfly.store.table import Matches, Put
from tests.fakes.agents import silent
from tests.fakes.world import World
from tests.unit.delivery.support import Stage, item

RESUMED = AgentResumed(attempt=2, reason="engine_lost", discard_after=1)
TAIL = 4


async def lost(world: World) -> Stage:
    """A run whose engine has died at seq 4."""
    return Stage(world, await world.killed(silent))


def fence_of(stage: Stage, **changes: int) -> OpenAttempt:
    (lease,) = stage.world.leases()
    later = replace(stage.run, **changes)  # type: ignore[arg-type]  # only counters are changed
    return OpenAttempt(run=stage.run, later=later, lease_is=lambda: Matches(**as_read(lease)))


def bridge_at(stage: Stage, seq: int) -> WebSocketBridge:
    return stage.bridge(stage.writer(next_seq=seq))


async def test_a_fence_is_one_transaction(world: World) -> None:
    """The record, the run's next attempt and its waiting lease are written together; the next engine begins at the seq
    behind the record, and with nothing pending."""
    stage = await lost(world)
    before, (lease,) = stage.run, world.leases()
    world.memory._rows[before.key] = before = replace(before, pending=("c",), answers=("{}",), answered=1)
    fence = fence_of(stage, resumes=1, spent_ms=700)
    async with bridge_at(stage, TAIL + 1) as bridge:
        committed = await bridge.commit(RESUMED, fence, last=True)
    (write,) = [call for call in world.table.calls if call.method == "write" and len(call.actions) == 3][-1:]
    assert [type(action.row) for action in write.actions if isinstance(action, Put)] == [LogRow, RunRow, LeaseRow]
    opened = replace(before, attempt=2, first_seq=TAIL + 2, resumes=1, spent_ms=700, pending=(), answers=(), answered=0)
    assert stage.run == committed.result == opened
    (waiting,) = world.leases()
    assert (waiting.state, waiting.attempt, waiting.first_seq, waiting.nonce) == ("waiting", 2, TAIL + 2, "")
    assert waiting.activated == world.clock.now_ms() > lease.activated


async def test_what_was_said_before_moves_the_next_engines_seq(world: World) -> None:
    """Text that goes into the same batch is counted: the attempt begins behind the whole of it."""
    stage = await lost(world)
    fence = fence_of(stage)
    async with bridge_at(stage, TAIL + 1) as bridge:
        await bridge.say("a last word")
        await bridge.commit(RESUMED, fence, last=True)
    assert world.log_types(stage.call.run_id)[-2:] == ["agent_delta", "agent_resumed"]
    assert stage.run.first_seq == TAIL + 3


async def test_an_engine_of_the_earlier_attempt_finds_its_seq_taken(world: World) -> None:
    """What it had under way is superseded, whatever it was."""
    stage = await lost(world)
    async with bridge_at(stage, TAIL + 1) as bridge:
        await bridge.commit(RESUMED, fence_of(stage), last=True)
    with pytest.raises(Superseded):
        await stage.writer(next_seq=TAIL + 1).append((item(),), RECORD_ALONE)
    assert world.log_types(stage.call.run_id)[-1] == "agent_resumed"


async def test_of_two_fences_at_once_one_is_written(world: World) -> None:
    """Both are at the same seq, on the same lease: one attempt is opened."""
    stage = await lost(world)

    async def fence() -> RunRow:
        async with bridge_at(stage, TAIL + 1) as bridge:
            return (await bridge.commit(RESUMED, fence_of(stage), last=True)).result

    results = await asyncio.gather(fence(), fence(), return_exceptions=True)
    assert [type(result) for result in results if isinstance(result, Exception)] == [Superseded]
    assert world.log_types(stage.call.run_id).count("agent_resumed") == 1
    assert stage.run.attempt == 2


@pytest.mark.parametrize("moved", [{"attempt": 2}, {"first_seq": 9}, {"answered": 1}])
async def test_a_run_that_moved_is_not_fenced(world: World, moved: dict[str, Any]) -> None:
    """Where another has opened an attempt, or taken an answer, nothing is written."""
    stage = await lost(world)
    fence = fence_of(stage)
    world.memory._rows[stage.run.key] = replace(stage.run, **moved)
    before = dict(world.memory.rows)
    async with bridge_at(stage, TAIL + 1) as bridge:
        with pytest.raises(Superseded):
            await bridge.commit(RESUMED, fence, last=True)
    assert world.memory.rows == before


@pytest.mark.parametrize("moved", [{"due": 1}, {"nonce": "x"}, {"state": "ended"}, {"invoked": 2}])
async def test_a_lease_that_moved_is_not_fenced(world: World, moved: dict[str, Any]) -> None:
    """Where the engine renewed, or another looked after the run, nothing is written."""
    stage = await lost(world)
    (lease,) = world.leases()
    fence = fence_of(stage)
    world.memory._rows[lease.key] = replace(lease, **moved)
    before = dict(world.memory.rows)
    async with bridge_at(stage, TAIL + 1) as bridge:
        with pytest.raises(Superseded):
            await bridge.commit(RESUMED, fence, last=True)
    assert world.memory.rows == before
