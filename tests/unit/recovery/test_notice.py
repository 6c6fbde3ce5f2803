"""The notice that an invocation has failed, in each state of a run."""

import asyncio
from dataclasses import replace

import pytest

from dayfly.recovery.notice import MOST_NOTICED_STARTS
from dayfly.store.rows import RunRow
from tests.fakes.agents import asking, silent
from tests.fakes.faulty_table import Call, Halt, ends_a_run, rows_of
from tests.fakes.world import World, assert_ended_once
from tests.unit.recovery.support import assert_goes_on, killed


@pytest.mark.parametrize(("timed_out", "code"), [(False, "engine_lost"), (True, "engine_timeout")])
async def test_a_dead_engines_run_is_resumed_twice_and_then_ends(world: World, *, timed_out: bool, code: str) -> None:
    """The notice of the engine's own invocation has its run resumed without waiting for the lease, and the third one
    ends it."""
    call = await killed(world, invocation="i-1")
    for attempt in (2, 3):
        before = world.clock.monotonic()
        await world.notice(call, invocation=f"i-{attempt - 1}", timed_out=timed_out)
        assert world.clock.monotonic() == before
        assert world.log(call.run_id)[-1]["payload"]["attempt"] == attempt
        call = world.invoker.calls[-1]
        assert (call.attempt, call.first_seq) == (attempt, len(world.log(call.run_id)) + 1)
        engine = world.starts(call, invocation=f"i-{attempt}")
        await asyncio.sleep(2)
        await world.crash(engine)
    before = world.clock.monotonic()
    await world.notice(call, invocation="i-3", timed_out=timed_out)
    assert world.clock.monotonic() == before
    assert assert_ended_once(world, call.run_id) == "agent_error"
    payload = world.log(call.run_id)[-1]["payload"]
    assert (payload["code"], payload["retryable"]) == (code, True)
    assert world.leases() == []


async def test_another_invocations_failure_touches_nothing(world: World) -> None:
    """The notice of a duplicate or late invocation leaves a run that another engine has."""
    call = await killed(world)
    before = dict(world.memory.rows)
    await world.notice(call, invocation="i-2")
    await world.notice(call, invocation="i-1", expired=True)
    assert world.memory.rows == before


async def test_the_notice_of_an_earlier_attempts_engine_touches_nothing(world: World) -> None:
    """A notice that comes twice, the second time when the next engine is at work, has the run resumed once."""
    call = await killed(world, invocation="i-1")
    await world.notice(call, invocation="i-1")
    engine = world.starts(world.invoker.calls[-1], invocation="i-2")
    await asyncio.sleep(1)
    before = dict(world.memory.rows)
    await world.notice(call, invocation="i-1")
    assert world.memory.rows == before
    await world.crash(engine)


async def test_a_run_that_was_not_begun_is_invoked_again(world: World) -> None:
    """An attempt whose function died before it began is asked for again, at most three times in all."""
    call = await world.admitted()
    for number in range(1, MOST_NOTICED_STARTS):
        await world.notice(call, invocation=f"i-{number}")
    assert world.invoker.calls == [call] * MOST_NOTICED_STARTS
    assert (await world.engine(call)).outcome == "completed"


async def test_an_ended_runs_end_is_posted_again(world: World) -> None:
    """A notice that comes when the end is written but not posted posts it."""
    call = await world.admitted()
    world.sockets.delays["a1"] = 3600
    engine = asyncio.create_task(world.engine(call))
    await asyncio.sleep(1)
    engine.cancel()
    await asyncio.gather(engine, return_exceptions=True)
    world.sockets.delays.clear()
    await world.notice(call)
    assert world.sockets.events("a1")[-1] == world.log(call.run_id)[-1]
    assert world.leases() == []


async def test_a_notice_of_what_is_over_does_nothing(world: World) -> None:
    """Where the lease is gone there is nothing left to look after."""
    call = await world.admitted()
    await world.engine(call)
    before = dict(world.memory.rows), len(world.sockets.frames["a1"])
    await world.notice(call)
    assert (dict(world.memory.rows), len(world.sockets.frames["a1"])) == before


async def test_notice_and_sweep_at_once(world: World) -> None:
    """A notice and two sweeps at once over a dead engine's run resume it once, and end it once where it has no attempt
    left."""
    call = await killed(world)
    await asyncio.sleep(20)
    await asyncio.gather(world.sweep(), world.notice(call), world.sweep())
    await assert_goes_on(world, call)
    call = await killed(world, spent=True)
    await asyncio.sleep(20)
    await asyncio.gather(world.sweep(), world.notice(call), world.sweep())
    assert assert_ended_once(world, call.run_id) == "agent_error"


async def test_a_notice_against_a_living_engine(world: World) -> None:
    """A notice that comes although its engine lives and renews fences that engine off, and it gives way."""
    world.agents.scripts["assistant"] = silent
    call = await world.admitted()
    engine = world.starts(call, invocation="i-1", lifetime_s=30)
    await asyncio.sleep(7)
    await world.notice(call, invocation="i-1")
    assert (await engine).outcome is None
    await assert_goes_on(world, call)


async def test_a_notice_against_a_living_engine_of_a_run_without_an_attempt_left(world: World) -> None:
    """Likewise where the run has no attempt left: it ends once, and the engine gives way."""
    world.agents.scripts["assistant"] = silent
    call = await world.admitted()
    row = world.run(call.run_id)
    world.memory._rows[row.key] = replace(row, resumes=2)
    engine = world.starts(call, invocation="i-1", lifetime_s=30)
    await asyncio.sleep(7)
    await world.notice(call, invocation="i-1")
    assert (await engine).outcome is None
    assert assert_ended_once(world, call.run_id) == "agent_error"
    assert world.log(call.run_id)[-1]["payload"]["code"] == "engine_lost"


async def test_a_function_that_always_dies_before_it_begins_ends_its_run(world: World) -> None:
    """Two notices have the attempt invoked again; the third ends the run, long before the sweep would."""
    call = await world.admitted()
    for number in range(1, 4):
        await world.notice(call, invocation=f"i-{number}")
    assert len(world.invoker.calls) == 3
    assert world.log(call.run_id)[-1]["payload"]["code"] == "could_not_start"
    assert assert_ended_once(world, call.run_id) == "agent_error"


async def test_an_invocation_that_was_throttled_away_ends_its_run(world: World) -> None:
    """An attempt that waited in Lambda's queue until it expired ends the run at once: another would wait as long."""
    call = await world.admitted()
    await world.notice(call, expired=True)
    assert world.invoker.calls == [call]
    assert world.log(call.run_id)[-1]["payload"]["code"] == "could_not_start"
    assert assert_ended_once(world, call.run_id) == "agent_error"


async def test_an_expired_invocation_of_an_earlier_attempt_is_no_reason_to_end(world: World) -> None:
    """A duplicate of attempt 1 that expires when attempt 2 waits for its engine has that one asked for again."""
    call = await killed(world, invocation="i-1")
    await world.notice(call, invocation="i-1")
    await world.notice(call, invocation="i-2", expired=True)
    assert [each.attempt for each in world.invoker.calls] == [1, 2, 2]
    await assert_goes_on(world, call)


async def test_the_run_behind_a_lost_engine_is_started(world: World) -> None:
    """Where an engine died between the commit of its run's end and the next run's invocation, its notice posts the end
    and has that one invoked."""
    call = await world.admitted()
    follower = await world.queued(call)
    assert await world.dies(world.engine(call, invocation="i-1"), ends_a_run, halt=Halt.AFTER)
    assert world.thread(call.thread_id).active_run == follower
    assert world.invoker.calls == [call]
    assert "agent_completed" not in world.sockets.types("a1")
    await world.notice(call, invocation="i-1")
    assert [each.run_id for each in world.invoker.calls] == [call.run_id, follower]
    await world.serve()
    for run in (call.run_id, follower):
        assert assert_ended_once(world, run) == "agent_completed"
    assert world.leases() == []


async def test_the_run_behind_is_not_invoked_while_its_engine_is_at_work(world: World) -> None:
    """The notice leaves the thread's active run alone where an engine has begun it."""
    call = await world.admitted()
    await world.queued(call)
    assert await world.dies(world.engine(call, invocation="i-1"), ends_a_run, halt=Halt.AFTER)
    await world.notice(call, invocation="i-1")
    world.agents.scripts["assistant"] = silent
    engine = world.starts(world.invoker.calls[-1], invocation="i-2")
    await asyncio.sleep(1)
    await world.notice(call, invocation="i-1")
    assert len(world.invoker.calls) == 2
    await world.crash(engine)


async def test_notices_of_an_earlier_attempt_do_not_end_a_later_one(world: World) -> None:
    """However often the loss of a first engine is told, the attempt that it brought about is not given up for it."""
    call = await killed(world)
    for _ in range(5):
        await world.notice(call)
    await assert_goes_on(world, call)


async def test_an_engine_that_died_behind_its_question_has_left_its_run_in_order(world: World) -> None:
    """Its run waits for its user: the notice touches nothing, and the user's answer has it go on."""
    world.agents.scripts["assistant"] = asking("c-1")
    call = await world.admitted()

    def pauses(one: Call) -> bool:
        return any(row.pending for row in rows_of(one, RunRow))

    assert await world.dies(world.engine(call, invocation="i-1"), pauses, halt=Halt.AFTER)
    before = dict(world.memory.rows)
    await world.notice(call, invocation="i-1")
    assert world.memory.rows == before
    await world.approve(call.run_id, "c-1")
    await world.serve()
    assert assert_ended_once(world, call.run_id) == "agent_completed"
    assert world.run(call.run_id).resumes == 0
