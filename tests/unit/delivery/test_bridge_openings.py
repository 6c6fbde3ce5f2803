"""What is committed first through a bridge, and what is committed without one."""

import asyncio

import pytest

from dayfly.delivery.bridge import WebSocketBridge
from dayfly.errors import Superseded, Unsettled
from dayfly.log.batch import Batch
from dayfly.log.messages import AssistantSaid
from dayfly.log.reader import steps_of
from dayfly.log.writer import RECORD_ALONE, LogPosition, Lost, Plan
from dayfly.store.rows import LogRow
from tests.fakes.faulty_table import Fault
from tests.fakes.world import World
from tests.unit.delivery.support import Stage, item, staged, thinking


class Claims:
    """A transition that comes to its own name, beside nothing, and counts the batches that it was planned with."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.planned: list[int] = []

    async def plan(self, row: LogRow, batch: Batch) -> Plan[str]:
        self.planned.append(batch.first)
        return Plan({}, self.name)

    def lost(self, found: Lost) -> None:
        raise AssertionError("there is nothing to lose")


async def test_the_first_commit_comes_to_what_the_bridge_opens_with(world: World) -> None:
    """The transition goes with whatever is committed first, and with nothing after it; until then it has no result."""
    stage = await staged(world)
    opening = Claims("opened")
    async with stage.bridge() as bridge:
        result = bridge.opens_with(opening)
        bridge.note(AssistantSaid("A note alone is not committed."))
        await asyncio.sleep(1)
        assert not result.done()
        await bridge.emit(thinking(1))
        assert (result.result(), bridge.opened) == ("opened", True)
        await bridge.emit(thinking(2))
    assert opening.planned == [2]


async def test_a_first_commit_with_a_transition_of_its_own_opens_alone(world: World) -> None:
    """It has to claim as much itself; what the bridge would have opened with never comes to a result."""
    stage = await staged(world)
    opening, own = Claims("opened"), Claims("own")
    async with stage.bridge() as bridge:
        result = bridge.opens_with(opening)
        assert (await bridge.commit(thinking(1), own)).result == "own"
        await bridge.emit(thinking(2))
        assert (opening.planned, own.planned) == ([], [2])
        assert not result.done()


async def test_an_opening_that_failed_has_no_result(world: World) -> None:
    """Where another writer has the first seq, nothing is opened."""
    stage = await staged(world)
    await stage.writer().append((item(),), RECORD_ALONE)
    async with stage.bridge() as bridge:
        result = bridge.opens_with(Claims("opened"))
        with pytest.raises(Superseded):
            await bridge.emit(thinking(1))
        assert (result.done(), bridge.opened) == (False, False)


async def test_who_no_longer_waits_for_the_opening_stops_no_commit(world: World) -> None:
    """A task that awaited it may have been cancelled meanwhile."""
    stage = await staged(world)
    async with stage.bridge() as bridge:
        bridge.opens_with(Claims("opened")).cancel()
        await asyncio.wait_for(bridge.emit(thinking(1)), 5)
        await asyncio.wait_for(bridge.emit(thinking(2)), 5)
    assert world.log_types(stage.call.run_id)[1:] == ["agent_thinking", "agent_thinking"]


def position(stage: Stage, *, next_seq: int = 2) -> LogPosition:
    return LogPosition(ref=stage.call.ref, agent_name="assistant", invocation_id="i-9", next_seq=next_seq)


async def test_a_single_event_is_committed_with_its_journal_and_transition(world: World) -> None:
    """One record, under a nonce of its own, with the journal before the event; what the transition has come to is
    given back."""
    stage = await staged(world)
    said = AssistantSaid("Whole.")
    committed = await WebSocketBridge.once(
        position(stage), thinking(), Claims("done"), journal=(said,), table=world.table, clock=world.clock
    )
    assert committed.result == "done"
    row = world.rows(LogRow)[-1]
    assert (row.first, row.last, row.invocation_id, row) == (2, 2, "i-9", committed.row)
    assert row.nonce not in {other.nonce for other in world.rows(LogRow)[:-1]}
    assert [entry.message for entry in committed.batch.journal] == [said]
    assert await steps_of(world.table, user_id="u-alice", run_id=stage.call.run_id) != ()


async def test_a_single_event_builds_nothing_of_a_stream(world: World) -> None:
    """One write: no task is begun, the audience is not read and nothing is posted; what was committed is there to be
    published."""
    stage = await staged(world)
    world.table.calls.clear()
    tasks, frames = asyncio.all_tasks(), len(world.sockets.frames["a1"])
    await WebSocketBridge.once(position(stage), thinking(), RECORD_ALONE, table=world.table, clock=world.clock)
    assert [call.method for call in world.table.calls] == ["write"]
    assert asyncio.all_tasks() == tasks
    assert len(world.sockets.frames["a1"]) == frames


@pytest.mark.parametrize(
    ("next_seq", "plan", "error"), [(1, None, Superseded), (2, Fault.REFUSED, Unsettled)], ids=["taken", "unreachable"]
)
async def test_a_single_event_that_is_not_committed_is_told(
    world: World, next_seq: int, plan: Fault | None, error: type[Exception]
) -> None:
    """Where its seq is another writer's, or the log could not be reached, nothing is written."""
    stage = await staged(world)
    before = dict(world.memory.rows)
    world.table.plan = lambda call: plan
    with pytest.raises(error):
        await WebSocketBridge.once(
            position(stage, next_seq=next_seq), thinking(), RECORD_ALONE, table=world.table, clock=world.clock
        )
    assert world.memory.rows == before
