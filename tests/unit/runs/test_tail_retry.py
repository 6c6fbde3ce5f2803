"""Writing behind what a dead engine had under way."""

import asyncio
from dataclasses import replace

import pytest

from dayfly.errors import Superseded, Unsettled
from dayfly.runs.writer import PAUSE_S, RETRY_AT_TAIL_S
from dayfly.store.rows import LeaseRow, RunRow
from tests.fakes.agents import silent
from tests.fakes.world import World


async def lost(world: World) -> tuple[RunRow, LeaseRow]:
    """A run whose engine has died."""
    call = await world.killed(silent)
    return world.run(call.run_id), world.leases()[0]


class Losing:
    """A write that loses so many times, or always, and takes so many seconds."""

    def __init__(self, times: int | None = None, *, takes_s: float = 0) -> None:
        self.times = times
        self.takes_s = takes_s
        self.tries = 0
        self.last_began = 0.0

    async def __call__(self) -> str:
        self.tries += 1
        self.last_began = asyncio.get_running_loop().time()
        await asyncio.sleep(self.takes_s)
        if self.times is None or self.tries <= self.times:
            raise Superseded("the seq is another writer's")
        return "written"


async def test_a_write_is_tried_again_while_the_lease_stands(world: World) -> None:
    """What it returns in the end is returned."""
    run, lease = await lost(world)
    write = Losing(times=3)
    assert await world.run_writer().retry_at_tail(run, lease, write) == "written"
    assert write.tries == 4


async def test_it_is_given_up_after_two_seconds_of_pauses(world: World) -> None:
    """Somebody lives then: the last try begins at that moment. Between two tries there is a pause, so that the table is
    not asked without end."""
    run, lease = await lost(world)
    write, until = Losing(takes_s=PAUSE_S * 0.5), world.clock.monotonic() + RETRY_AT_TAIL_S
    with pytest.raises(Superseded):
        await world.run_writer().retry_at_tail(run, lease, write)
    assert write.last_began == pytest.approx(until, abs=1e-9)
    assert write.tries <= RETRY_AT_TAIL_S / PAUSE_S + 2


async def test_a_lease_that_moved_ends_it_at_once(world: World) -> None:
    """Whoever moved it looks after the run."""
    run, lease = await lost(world)
    write = Losing()
    with pytest.raises(Superseded):
        await world.run_writer().retry_at_tail(run, replace(lease, due=lease.due - 1), write)
    assert write.tries == 1


async def test_what_else_goes_wrong_is_raised(world: World) -> None:
    """Only another writer's seq is a reason to look again."""
    run, lease = await lost(world)

    async def unreachable() -> None:
        raise Unsettled("throttled")

    with pytest.raises(Unsettled):
        await world.run_writer().retry_at_tail(run, lease, unreachable)
