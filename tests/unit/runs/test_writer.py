"""Speaking for a run from outside its engine."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from dayfly.delivery.background import BackgroundTasks
from dayfly.errors import Superseded, Unsettled
from dayfly.log.reader import committed_of, tail_of
from dayfly.log.writer import RECORD_ALONE, Committed
from dayfly.store.rows import LeaseState
from tests.fakes.faulty_table import Call, Fault
from tests.fakes.world import World
from tests.unit.delivery.support import Stage, completed, staged, thinking


async def ended(world: World) -> tuple[Stage, Committed[None]]:
    """A run whose end nobody was sent, with the lease that says so."""
    stage = await staged(world)
    async with stage.bridge() as bridge:
        await bridge.emit(completed())
    (lease,) = world.leases()
    world.memory._rows[lease.key] = replace(lease, state=LeaseState.ENDED)
    tail = await tail_of(world.memory, user_id="u-alice", run_id=stage.call.run_id)
    assert tail is not None
    return stage, committed_of(tail)


async def test_a_batch_is_shown_to_whoever_watches_now(world: World) -> None:
    """Word for word as it is in the log, to each socket of the thread; and to nobody else."""
    stage, tail = await ended(world)
    await world.ask("attach", thread_id=stage.call.thread_id, connection="a2")
    assert await world.run_writer().show(stage.run, tail)
    for connection in ("a1", "a2"):
        assert world.sockets.events(connection)[-1] == world.log(stage.call.run_id)[-1]
    assert set(world.sockets.frames) == {"a1", "a2"}


async def test_an_end_that_was_posted_to_all_needs_no_lease(world: World) -> None:
    """It is dropped; where one socket hangs, it stays, unless this is the last try."""
    stage, tail = await ended(world)
    world.sockets.delays["a1"] = 3600
    await world.run_writer().post_again(stage.run, tail)
    assert len(world.leases()) == 1
    await world.run_writer().post_again(stage.run, tail, give_up=True)
    assert world.leases() == []


@pytest.mark.parametrize("state", [LeaseState.WAITING, LeaseState.HELD, LeaseState.APPROVAL])
async def test_a_lease_of_a_run_that_has_not_ended_is_not_dropped(world: World, state: LeaseState) -> None:
    """Whoever comes too late with its posting takes nothing from those who look after the run."""
    stage = await staged(world)
    (lease,) = world.leases()
    world.memory._rows[lease.key] = replace(lease, state=state)
    await world.run_writer().drop_lease(stage.run)
    assert [row.state for row in world.leases()] == [state]


@pytest.mark.parametrize("fault", list(Fault))
async def test_a_lease_that_can_not_be_dropped_is_left_to_the_sweep(world: World, fault: Fault) -> None:
    """The end is posted: nobody is told of the trouble."""
    stage, _ = await ended(world)
    world.table.fail_once(0, fault)
    await world.run_writer().drop_lease(stage.run)
    assert len(world.leases()) == (1 if fault is Fault.REFUSED else 0)


async def test_an_audience_that_can_not_be_read_is_told(world: World) -> None:
    """Nothing was shown, and the lease stays; no post is left behind."""
    stage, tail = await ended(world)
    before = len(world.sockets.frames["a1"])
    world.table.plan = lambda call: Fault.REFUSED
    with pytest.raises(Unsettled):
        await world.run_writer().post_again(stage.run, tail)
    await asyncio.sleep(10)
    assert len(world.sockets.frames["a1"]) == before
    assert len(world.leases()) == 1


async def test_each_append_has_a_name_of_its_own(world: World) -> None:
    """Of two writers of one invocation one wins a seq; neither takes the other's for its own."""
    stage = await staged(world)
    appends = (world.run_writer().append(stage.run, thinking(), RECORD_ALONE, next_seq=2) for _ in range(2))
    results = await asyncio.gather(*appends, return_exceptions=True)
    assert [type(result) for result in results] in ([Committed, Superseded], [Superseded, Committed[None]])
    assert world.log_types(stage.call.run_id) == ["user_message", "agent_thinking"]


async def test_an_end_that_was_posted_in_vain_is_put_off(world: World) -> None:
    """For half a minute at first, then for as long as it has been, for a quarter of an hour at most; a lease that has
    moved meanwhile is left."""
    stage, tail = await ended(world)
    world.sockets.refuse["a1"] = Unsettled("throttled")
    for passed, expected in ((0, 30), (90, 90), (600, 690), (5000, 900)):
        await asyncio.sleep(passed)
        await world.run_writer().post_again(stage.run, tail)
        (lease,) = world.leases()
        assert (lease.state, lease.due - world.clock.now_ms()) == (LeaseState.ENDED, expected * 1000)


@pytest.mark.parametrize("moved", [{"due": 7}, {"state": LeaseState.HELD}], ids=str)
async def test_a_lease_that_has_moved_is_not_put_off(world: World, moved: dict[str, Any]) -> None:
    """Where somebody else has seen to the lease between its being read and put off, it stays as that one left it."""
    stage, tail = await ended(world)
    world.sockets.refuse["a1"] = Unsettled("throttled")
    (lease,) = world.leases()
    theirs = replace(lease, **moved)

    def move(call: Call) -> None:
        if call.method == "write":
            world.memory._rows[lease.key] = theirs

    world.table.plan = move
    await world.run_writer().post_again(stage.run, tail)
    assert world.leases() == [theirs]


async def test_errands_are_run_beside_or_at_once(world: World) -> None:
    """Where an invocation keeps errands, nobody waits; where it keeps none, it is done at once."""
    done: list[str] = []

    async def errand() -> None:
        await asyncio.sleep(1)
        done.append("done")

    await world.run_writer().in_background(errand)
    assert done == ["done"]
    async with BackgroundTasks() as background:
        await replace(world.run_writer(), background=background).in_background(errand)
        assert done == ["done"]
    assert done == ["done", "done"]
