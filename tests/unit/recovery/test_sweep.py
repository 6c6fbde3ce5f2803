"""The sweep: takes what is due, in each state of a run."""

import asyncio
from contextlib import suppress
from dataclasses import replace

import pytest

from dayfly.errors import IllegalTransition, PortError, Unsettled
from dayfly.metrics import Metric
from dayfly.recovery import sweep as sweep_module
from dayfly.recovery.sweep import POSTS_WITHIN_S
from dayfly.store.rows import LeaseState, QuotaRow
from tests.fakes.agents import silent
from tests.fakes.faulty_table import Call, Fault
from tests.fakes.world import World, assert_ended_once
from tests.unit.recovery.support import assert_goes_on, killed


async def test_nothing_due_is_nothing_done(world: World) -> None:
    """A run whose lease is not due is left alone, and counted as active."""
    call = await world.admitted()
    before = dict(world.memory.rows)
    assert await world.sweep() == 0
    assert world.memory.rows == before
    assert len(world.invoker.calls) == 1
    assert world.meter.total(Metric.ACTIVE_RUNS) == 1
    assert (await world.engine(call)).outcome == "completed"


async def test_a_run_that_was_not_begun_is_invoked_again(world: World) -> None:
    """Ten seconds after admission, not before, the same attempt is invoked again, with the same seq; its engine runs
    it."""
    call = await world.admitted()
    await asyncio.sleep(9.999)
    assert await world.sweep() == 0
    await asyncio.sleep(0.002)
    assert await world.sweep() == 1
    assert world.invoker.calls == [call, call]
    assert (await world.engine(call, invocation="i-2")).outcome == "completed"
    assert (await world.engine(call, invocation="i-1")).outcome is None
    assert_ended_once(world, call.run_id)


async def test_a_run_that_cannot_be_started_on_both_sides_of_90_s(world: World) -> None:
    """Just before 90 s a run that nobody began is invoked once more; at 90 s it ends, `could_not_start`, retryable."""
    call = await world.admitted()
    await asyncio.sleep(89.999)
    await world.sweep()
    assert len(world.invoker.calls) == 2
    assert world.log_types(call.run_id) == ["user_message"]
    other = World()
    call = await other.admitted()
    await asyncio.sleep(90)
    await other.sweep()
    assert len(other.invoker.calls) == 1
    assert assert_ended_once(other, call.run_id) == "agent_error"
    payload = other.log(call.run_id)[-1]["payload"]
    assert (payload["code"], payload["retryable"]) == ("could_not_start", True)
    assert other.leases() == []


async def test_a_dead_engines_run_goes_on(world: World) -> None:
    """Once the lease of a dead engine is due its run is resumed."""
    call = await killed(world)
    assert [lease.state for lease in world.leases()] == ["held"]
    await asyncio.sleep(17.9)
    assert await world.sweep() == 0
    await asyncio.sleep(0.2)
    assert await world.sweep() == 1
    await assert_goes_on(world, call)


async def test_a_run_that_loses_its_engine_a_third_time_ends(world: World) -> None:
    """It is resumed twice; the third loss ends it with `engine_lost`, and the thread is free."""
    call = await killed(world)
    for attempt in (2, 3):
        await asyncio.sleep(20)
        assert await world.sweep() == 1
        engine = world.starts(world.invoker.calls[-1])
        await asyncio.sleep(2)
        assert world.run(call.run_id).attempt == attempt
        await world.crash(engine)
    await asyncio.sleep(20)
    assert await world.sweep() == 1
    assert assert_ended_once(world, call.run_id) == "agent_error"
    assert world.log(call.run_id)[-1]["payload"]["code"] == "engine_lost"
    assert world.meter.total(Metric.RUNS_FAILED) == 1
    assert world.leases() == []


@pytest.mark.parametrize("spent", [False, True])
async def test_within_90_s_of_a_death_a_sweep_a_minute_sees_to_the_run(*, spent: bool) -> None:
    """Whenever an engine dies, and however the sweeps fall, its run is resumed, or ended, within 90 s."""
    for second in range(0, 60, 7):
        world = World()
        call = await killed(world, after_s=6, spent=spent)
        died = world.clock.monotonic()
        await asyncio.sleep(second)
        await world.sweep()
        while world.log_types(call.run_id)[-1] == "agent_delta":
            await asyncio.sleep(60)
            await world.sweep()
        assert world.clock.monotonic() - died <= 90
        if spent:
            assert_ended_once(world, call.run_id)
        else:
            await assert_goes_on(world, call)


async def test_a_living_engine_is_left_alone(world: World) -> None:
    """A run whose engine renews its lease is never due, for as long as it takes."""
    world.agents.scripts["assistant"] = silent
    call = await world.admitted()
    engine = world.starts(call, lifetime_s=300)
    for _ in range(29):
        await asyncio.sleep(10)
        assert await world.sweep() == 0
    assert (await engine).outcome == "handed_over"
    assert [each.attempt for each in world.invoker.calls] == [1, 2]
    assert world.log(call.run_id)[-1]["payload"]["reason"] == "handed_over"


async def test_two_sweeps_at_once_resume_a_run_once(world: World) -> None:
    """Of several sweeps at once over a dead engine's run one resumes it; one engine is asked for."""
    call = await killed(world)
    await asyncio.sleep(20)
    await asyncio.gather(*(world.sweep() for _ in range(3)))
    assert [each.attempt for each in world.invoker.calls] == [1, 2]
    await assert_goes_on(world, call)


async def test_two_sweeps_at_once_end_a_run_once(world: World) -> None:
    """Of several sweeps at once over a run without an attempt left one ends it; the log has one terminal event."""
    call = await killed(world, spent=True)
    await asyncio.sleep(20)
    await asyncio.gather(*(world.sweep() for _ in range(3)))
    assert assert_ended_once(world, call.run_id) == "agent_error"
    assert world.meter.total(Metric.RUNS_FAILED) == 1
    assert world.leases() == []


async def test_two_sweeps_at_once_and_a_late_engine(world: World) -> None:
    """A run that was not begun, two sweeps, and two engines that come at last: the run runs once."""
    call = await world.admitted()
    await asyncio.sleep(30)
    await asyncio.gather(world.sweep(), world.sweep(), world.engine(call), world.engine(call, invocation="i-2"))
    for number, again in enumerate(world.invoker.calls[1:]):
        assert (await world.engine(again, invocation=f"i-{number + 3}")).outcome is None
    assert assert_ended_once(world, call.run_id) == "agent_completed"


async def test_an_end_that_was_not_posted_is_posted_again(world: World) -> None:
    """Where an engine dies between writing the end and posting it, the sweep posts it and drops the lease."""
    call = await world.admitted()
    world.sockets.delays["a1"] = 3600
    engine = asyncio.create_task(world.engine(call))
    await asyncio.sleep(4)
    engine.cancel()
    await asyncio.gather(engine, return_exceptions=True)
    assert world.log_types(call.run_id)[-1] == "agent_completed"
    assert "agent_completed" not in world.sockets.types("a1")
    (lease,) = world.leases()
    assert lease.state == LeaseState.ENDED
    world.sockets.delays.clear()
    await asyncio.sleep(6)
    await world.sweep()
    assert world.sockets.events("a1")[-1] == world.log(call.run_id)[-1]
    assert world.leases() == []


async def test_a_lost_answer_does_not_lose_an_invocation(world: World) -> None:
    """Where the answer of the lease's own write is lost, the engine is invoked all the same, once."""
    await world.admitted()
    await asyncio.sleep(11)
    lost: list[Call] = []

    def lose_first(call: Call) -> Fault | None:
        if call.method == "write" and not lost:
            lost.append(call)
            return Fault.ANSWER_LOST
        return None

    world.table.plan = lose_first
    await world.sweep()
    assert len(world.invoker.calls) == 2


async def test_a_failed_invocation_is_tried_by_the_next_sweep(world: World) -> None:
    """Where the invocation is refused, the run stays for the next sweep."""
    call = await world.admitted()
    world.invoker.fail_with = PortError("throttled")
    await asyncio.sleep(11)
    await world.sweep()
    world.invoker.fail_with = None
    await asyncio.sleep(60)
    await world.sweep()
    assert world.invoker.calls == [call, call]


async def test_one_broken_run_does_not_keep_others_from_being_looked_after(world: World) -> None:
    """A run whose rows make no sense is raised at the end; every other run due has been looked after."""
    broken = await killed(world, spent=True)
    (quota,) = world.rows(QuotaRow)
    del world.memory._rows[quota.key]
    calls = [await world.admitted(user="u-bob", connection="b1") for _ in range(5)]
    await asyncio.sleep(95)
    with pytest.raises(ExceptionGroup) as raised:
        await world.sweep()
    assert [type(error) for error in raised.value.exceptions] == [IllegalTransition]
    for call in calls:
        assert_ended_once(world, call.run_id, connection="b1")
    assert world.log_types(broken.run_id)[-1] == "agent_delta"


async def test_a_hint_decides_nothing(world: World) -> None:
    """A lease that was renewed after the index gave it as due is left alone."""
    call = await killed(world)
    await asyncio.sleep(21)
    (lease,) = world.leases()

    def renew(one: Call) -> None:
        if one.method == "get":
            world.memory._rows[lease.key] = replace(lease, due=world.clock.now_ms() + 20_000)

    world.table.plan = renew
    await world.sweep()
    assert world.log_types(call.run_id)[-1] == "agent_delta"


@pytest.mark.parametrize("spent", [False, True])
@pytest.mark.parametrize("fault", list(Fault))
async def test_any_one_call_may_fail(fault: Fault, *, spent: bool) -> None:
    """Whichever one call of the table fails in a sweep over a dead engine's run, this one or the next resumes it, or
    ends it where it has no attempt left; once."""
    number = 0
    while True:
        world = World()
        call = await killed(world, spent=spent)
        await asyncio.sleep(20)
        world.table.fail_once(number, fault)
        first = len(world.table.calls)
        with suppress(PortError):  # where the index could not be read at all
            await world.sweep()
        if len(world.table.calls) <= first + number:
            break
        await asyncio.sleep(60)
        await world.sweep()
        if spent:
            assert assert_ended_once(world, call.run_id) == "agent_error"
            assert world.leases() == []
        else:
            await assert_goes_on(world, call)
        number += 1
    assert number >= 15


async def _ended_in_vain(world: World, count: int) -> None:
    """So many runs of another user have ended, whose socket takes nothing."""
    for number in range(count):
        if number % 60 == 0:
            await asyncio.sleep(60)
        await world.ask("run", text="What is 2 * 3?", user="u-bob", connection="stuck")
        world.sockets.refuse["stuck"] = Unsettled("throttled")
        await world.engine(world.invoker.calls[-1])
        del world.sockets.refuse["stuck"]


async def test_sockets_that_take_nothing_hold_back_no_run(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many ends wait for a stuck socket, even more than a sweep takes, it takes a lost run up at once, and is
    over in time."""
    await _ended_in_vain(world, 240)
    assert len(world.leases()) == 240
    world.sockets.delays["stuck"] = 3600
    lost = await killed(world)
    await asyncio.sleep(60)
    monkeypatch.setattr(sweep_module, "MOST", 50)
    began = world.clock.monotonic()
    sweep = asyncio.create_task(world.sweep())
    await asyncio.sleep(1)
    assert (world.invoker.calls[-1].run_id, world.invoker.calls[-1].attempt) == (lost.run_id, 2)
    await sweep
    assert world.clock.monotonic() - began <= POSTS_WITHIN_S + 1
    for _ in range(4):
        await world.sweep()  # those that there was no time for
    tried = world.sockets.tried["stuck"]
    await world.sweep()
    assert world.sockets.tried["stuck"] == tried, "what was posted in vain is put off"
