"""How much one sweep takes: rows, runs at a time, posts at a time, and how long."""

import asyncio
from collections import Counter
from dataclasses import replace

import pytest

from dayfly.errors import Unsettled
from dayfly.ports.meter import Metric
from dayfly.recovery import sweep as sweep_module
from dayfly.runlog.rows import LeaseState
from tests.fakes.faulty_table import Call
from tests.fakes.world import World


async def not_begun(world: World, count: int) -> None:
    """So many runs that no engine has begun, all due."""
    for number in range(count):
        await world.admitted(user=f"u-{number}", connection=f"c{number}")
    await asyncio.sleep(11)


async def ended_in_vain(world: World, count: int) -> None:
    """So many runs that have ended, each before a socket that takes nothing; all due."""
    for number in range(count):
        await world.ask("run", text="What is 2 * 3?", user=f"u-{number}", connection=f"c{number}")
        world.sockets.refuse[f"c{number}"] = Unsettled("throttled")
        await world.engine(world.invoker.calls[-1])
        del world.sockets.refuse[f"c{number}"]
    assert [lease.state for lease in world.leases()] == [LeaseState.ENDED] * count
    await asyncio.sleep(60)


def taken(world: World, most: int) -> int:
    """How many of the leases there are a sweep takes that takes so many of each part of the index."""
    return sum(min(most, count) for count in Counter(lease.lease_shard for lease in world.leases()).values())


async def test_a_sweep_takes_so_many_runs(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of each part of the index it takes a thousand, and not one more; the next sweeps take the rest, and count as
    many active runs."""
    assert sweep_module.MOST == 1000
    monkeypatch.setattr(sweep_module, "MOST", 3)
    await not_begun(world, 24)
    first = taken(world, 3)
    assert await world.sweep() == first < 24
    assert len(world.invoker.calls) == 24 + first
    assert world.meter.total(Metric.ACTIVE_RUNS) == first
    left = 24 - first
    while left:
        done = await world.sweep()
        assert 0 < done <= left
        left -= done
    assert await world.sweep() == 0
    assert len(world.invoker.calls) == 48


async def test_a_sweep_posts_so_many_ends(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Likewise of the ends that are left to post."""
    monkeypatch.setattr(sweep_module, "MOST", 2)
    await ended_in_vain(world, 12)
    first = taken(world, 2)
    assert await world.sweep() == first < 12
    assert len(world.leases()) == 12 - first


async def test_a_sweep_counts_every_active_run(world: World) -> None:
    """Runs that are not due for long are counted: one may wait for its user for an hour and more."""
    await not_begun(world, 3)
    for lease in world.leases():
        assert lease.due < world.clock.now_ms()
    await world.sweep()
    (first, *_) = world.leases()
    world.memory._rows[first.key] = replace(first, due=world.clock.now_ms() + 23 * 3600 * 1000)
    before = world.meter.total(Metric.ACTIVE_RUNS)
    await world.sweep()
    assert world.meter.total(Metric.ACTIVE_RUNS) - before == 3


async def test_sixteen_runs_at_a_time(world: World) -> None:
    """Where each run takes a second, forty take three: as many at a time as there are threads for the table's
    calls."""
    await not_begun(world, 40)
    world.table.plan = lambda call: 1.0 if call.method == "write" else None
    began = world.clock.monotonic()
    await world.sweep()
    assert 3 <= world.clock.monotonic() - began < 3.5


async def test_twelve_posts_at_a_time(world: World) -> None:
    """Where each socket is waited for in vain for two seconds, twenty-four ends take four: each has a thread for its
    post."""
    await ended_in_vain(world, 24)
    for number in range(24):
        world.sockets.delays[f"c{number}"] = 3600
    began = world.clock.monotonic()
    await world.sweep()
    assert 4 <= world.clock.monotonic() - began < 4.5


async def test_posts_are_broken_off_in_time(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A sweep is over within 40 s, since the next comes after a minute; the ends it had no time for are still due."""
    assert sweep_module.POSTS_WITHIN_S == 40
    monkeypatch.setattr(sweep_module, "POSTS_WITHIN_S", 5.0)
    await ended_in_vain(world, 48)
    for number in range(48):
        world.sockets.delays[f"c{number}"] = 3600
    began = world.clock.monotonic()
    await world.sweep()
    assert 5 <= world.clock.monotonic() - began < 5.5
    now = world.clock.now_ms()
    due = [lease for lease in world.leases() if lease.due <= now]
    assert (len(world.leases()), len(due)) == (48, 24), "two rounds of twelve were put off"


async def test_the_index_is_asked_twelve_times(world: World) -> None:
    """Each of its four parts once for what is due, what has ended and what is active, whatever there is."""
    asked: list[Call] = []
    world.table.plan = lambda call: asked.append(call) if call.method == "due_leases" else None
    await not_begun(world, 5)
    await world.sweep()
    assert len(asked) == 12
