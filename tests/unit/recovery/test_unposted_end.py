"""A terminal event that could not be posted is posted again: the lease goes only when everybody was sent it."""

import asyncio

import pytest

from dayfly.errors import PostRefused, Unsettled
from dayfly.runs.state import Ended, read_state_by_lease
from tests.fakes.world import World, assert_ended_once


async def test_an_end_that_was_throttled_away_is_posted_by_the_sweep(world: World) -> None:
    """Posts that stay unsettled leave the lease; the next sweep after they work again posts the end and drops it."""
    call = await world.admitted()
    engine = asyncio.create_task(world.engine(call))
    world.sockets.refuse["a1"] = Unsettled("throttled")
    assert (await engine).outcome == "completed"
    assert world.log_types(call.run_id)[-1] == "agent_completed"
    assert "agent_completed" not in world.sockets.types("a1")
    await asyncio.sleep(6)
    await world.sweep()
    assert len(world.leases()) == 1, "still not posted"
    world.sockets.refuse.clear()
    await asyncio.sleep(31)
    await world.sweep()
    assert "agent_completed" in world.sockets.types("a1")
    assert world.leases() == []
    assert_ended_once(world, call.run_id)


async def test_a_socket_that_can_not_be_posted_to_is_not_waited_for(world: World) -> None:
    """Where the refusal is final the lease goes at once."""
    call = await world.admitted()
    world.sockets.refuse["a1"] = PostRefused("forbidden")
    assert (await world.engine(call)).outcome == "completed"
    assert world.leases() == []


async def test_nobody_posts_for_ever(world: World) -> None:
    """Two hours after the run's end, no socket of that time lives, and the sweep drops the lease."""
    call = await world.admitted()
    world.sockets.refuse["a1"] = Unsettled("throttled")
    await world.engine(call)
    await asyncio.sleep(2 * 3600 - 60)
    await world.sweep()
    assert len(world.leases()) == 1
    await asyncio.sleep(16 * 60)
    await world.sweep()
    assert world.leases() == []


@pytest.mark.parametrize(("left_ms", "leases"), [(1, 1), (0, 0)])
async def test_the_lease_of_an_end_is_kept_two_hours(world: World, left_ms: int, leases: int) -> None:
    """A moment before a socket of the end's time must be gone its end is still kept for it; then no longer."""
    call = await world.admitted()
    world.sockets.refuse["a1"] = Unsettled("throttled")
    await world.engine(call)
    (lease,) = world.leases()
    state = await read_state_by_lease(world.table, lease.key)
    assert isinstance(state, Ended)
    await asyncio.sleep((state.tail.at + 2 * 3600 * 1000 - left_ms - world.clock.now_ms()) / 1000)
    await world.recovery_actions().post_end(state)
    assert len(world.leases()) == leases
