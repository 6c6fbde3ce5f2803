"""Recovery comes once: a read that is not answered is asked again."""

import asyncio

import pytest

from dayfly.errors import Unsettled
from dayfly.store.keys import ENDED_SHARDS, LEASE_SHARDS, Key
from dayfly.store.rows import CancelRow, LogRow
from dayfly.store.table import Put
from tests.fakes.faulty_table import Call, Fault, FaultyTable
from tests.fakes.world import World, assert_ended_once
from tests.unit.recovery.support import assert_goes_on, killed


@pytest.mark.parametrize("number", range(8))
async def test_a_notice_survives_any_lost_read(world: World, number: int) -> None:
    """Whichever of its first calls is refused, the notice has the run resumed."""
    call = await killed(world)
    world.table.fail_once(number, Fault.REFUSED)
    await world.notice(call)
    await assert_goes_on(world, call)


@pytest.mark.parametrize("number", range(8))
async def test_a_notice_of_a_run_without_an_attempt_left_survives_any_lost_read(world: World, number: int) -> None:
    """Likewise it ends a run that was resumed as often as may be."""
    call = await killed(world, spent=True)
    world.table.fail_once(number, Fault.REFUSED)
    await world.notice(call)
    assert assert_ended_once(world, call.run_id) == "agent_error"


async def test_a_read_is_repeated_for_five_seconds(world: World) -> None:
    """A table that is back before is read; one that is away for longer fails the notice, long before Lambda does."""
    call = await killed(world)
    began = world.clock.monotonic()
    world.table.plan = lambda _: Fault.REFUSED if world.clock.monotonic() - began < 3.5 else None
    await world.notice(call)
    await assert_goes_on(world, call)
    world.table.plan = lambda _: Fault.REFUSED
    began = world.clock.monotonic()
    with pytest.raises(Unsettled):
        await world.notice(call)
    assert 3.5 <= world.clock.monotonic() - began <= 5.5


@pytest.mark.parametrize("number", range(12))
async def test_a_sweep_survives_any_lost_read(world: World, number: int) -> None:
    """Whichever of its first calls is refused, the sweep has the run resumed that is due."""
    call = await killed(world)
    await asyncio.sleep(21)
    world.table.fail_once(number, Fault.REFUSED)
    await world.sweep()
    await assert_goes_on(world, call)


@pytest.mark.parametrize("number", range(12))
async def test_a_sweep_of_a_run_without_an_attempt_left_survives_any_lost_read(world: World, number: int) -> None:
    """Likewise it ends a run that was resumed as often as may be."""
    call = await killed(world, spent=True)
    await asyncio.sleep(21)
    world.table.fail_once(number, Fault.REFUSED)
    await world.sweep()
    assert assert_ended_once(world, call.run_id) == "agent_error"


class OneShardAway(FaultyTable):
    """Never answers what is due in one part of the index."""

    away = ""

    async def due_leases(self, shard: str, *, before: int, limit: int) -> tuple[Key, ...]:
        if shard == self.away:
            raise Unsettled(f"{shard} is away")
        return await super().due_leases(shard, before=before, limit=limit)


async def test_one_shard_that_does_not_answer_holds_back_no_other(world: World) -> None:
    """With every read of one shard refused, of runs or of ends, the runs of the others are looked after, and the
    failures are told; where it is the run's own shard that is away, the run is left to the next sweep."""
    table = world.table = OneShardAway(world.memory)
    call = await killed(world)
    await asyncio.sleep(21)
    own = world.leases()[0].lease_shard
    for away, failures in ((own, 2), (ENDED_SHARDS[0], 1), (ENDED_SHARDS[3], 1)):
        before = world.run(call.run_id).attempt
        table.away = away
        with pytest.raises(ExceptionGroup) as raised:
            await world.sweep()
        assert [str(error) for error in raised.value.exceptions] == [f"{away} is away"] * failures
        if away == own:
            assert world.run(call.run_id).attempt == before == 1
    await assert_goes_on(world, call)
    call = await killed(world, user="u-bob", connection="b1")
    await asyncio.sleep(21)
    (lease,) = [one for one in world.leases() if one.run_id == call.run_id]
    table.away = next(shard for shard in LEASE_SHARDS if shard != lease.lease_shard)
    with pytest.raises(ExceptionGroup):
        await world.sweep()
    await assert_goes_on(world, call, connection="b1")


@pytest.mark.parametrize("spent", [False, True])
async def test_what_the_dead_engine_had_under_way_does_not_keep_its_run_open(world: World, *, spent: bool) -> None:
    """A batch of the dead engine that lands just before the fence, or the end, is left in the log; that follows."""
    call = await killed(world, spent=spent)
    landed = False

    def plan(one: Call) -> None:
        nonlocal landed
        if any(isinstance(a, Put) and isinstance(a.row, LogRow) for a in one.actions) and not landed:
            landed = True
            tail = max((row for row in world.rows(LogRow) if row.run_id == call.run_id), key=lambda row: row.last)
            late = LogRow(
                user_id=call.user_id,
                run_id=call.run_id,
                first=tail.last + 1,
                last=tail.last + 1,
                events=(tail.events[-1].replace(f'"seq":{tail.last}', f'"seq":{tail.last + 1}'),),
                nonce=tail.nonce,
                ordinal=tail.ordinal + 1,
                invocation_id="i-1",
                at=tail.at,
            )
            world.memory._rows[late.key] = late

    world.table.plan = plan
    await world.notice(call)
    assert landed
    assert world.log_types(call.run_id)[:5] == [
        "user_message",
        "agent_started",
        "agent_thinking",
        "agent_delta",
        "agent_delta",
    ]
    if spent:
        assert assert_ended_once(world, call.run_id) == "agent_error"
    else:
        await assert_goes_on(world, call)


async def test_a_lost_run_that_was_to_be_cancelled_is_cancelled(world: World) -> None:
    """Recovery honours the mark of a run whose engine died before it saw it."""
    call = await killed(world)
    await world.memory.write(
        Put(CancelRow(user_id=call.user_id, thread_id=call.thread_id, run_id=call.run_id, at=0, expires=2**40))
    )
    await world.notice(call)
    assert assert_ended_once(world, call.run_id) == "agent_cancelled"
