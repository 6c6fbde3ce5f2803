"""The notice that an invocation has failed, in each standing of a run."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from dayfly.agents.protocol import AgentEvent, Answered, Thinking, Turn
from dayfly.ports.invoker import EngineCall
from dayfly.recovery.notice import MOST_NOTICED_STARTS
from tests.fakes.faulty_table import Fault
from tests.fakes.world import World, assert_ended_once


async def silent(turn: Turn) -> AsyncIterator[AgentEvent]:
    yield Thinking("…", 1)
    await asyncio.sleep(3600)
    yield Answered("Too late.")


async def killed(world: World) -> EngineCall:
    """A run whose engine, invocation `i-1`, has died."""
    world.agents.scripts["assistant"] = silent
    call = await world.admitted()
    engine = asyncio.create_task(world.engine(call, invocation="i-1"))
    await asyncio.sleep(2)
    world.table.plan = lambda one: Fault.REFUSED
    engine.cancel()
    await asyncio.gather(engine, return_exceptions=True)
    world.table.plan = lambda one: None
    return call


@pytest.mark.parametrize(("timed_out", "code"), [(False, "engine_lost"), (True, "engine_timeout")])
async def test_a_dead_engines_run_ends_at_once(world: World, *, timed_out: bool, code: str) -> None:
    """The notice of the engine's own invocation ends its run without waiting for the lease."""
    call = await killed(world)
    before = world.clock.monotonic()
    await world.notice(call, timed_out=timed_out)
    assert world.clock.monotonic() == before
    assert assert_ended_once(world, call.run) == "agent_error"
    payload = world.log(call.run)[-1]["payload"]
    assert (payload["code"], payload["retryable"]) == (code, True)
    assert world.leases() == []


async def test_another_invocations_failure_touches_nothing(world: World) -> None:
    """The notice of a duplicate or late invocation leaves a run that another engine has."""
    call = await killed(world)
    before = dict(world.memory.rows)
    await world.notice(call, invocation="i-2")
    await world.notice(call, invocation="i-1", expired=True)
    assert world.memory.rows == before


async def test_a_run_that_was_not_begun_is_invoked_again(world: World) -> None:
    """A lost invocation is asked for again, at most three in all by notices; then only the sweep asks."""
    call = await world.admitted()
    for _ in range(5):
        await world.notice(call, expired=True)
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
    assert world.sockets.events("a1")[-1] == world.log(call.run)[-1]
    assert world.leases() == []


async def test_a_notice_of_what_is_over_does_nothing(world: World) -> None:
    """Where the lease is gone there is nothing left to look after."""
    call = await world.admitted()
    await world.engine(call)
    before = dict(world.memory.rows), len(world.sockets.frames["a1"])
    await world.notice(call)
    assert (dict(world.memory.rows), len(world.sockets.frames["a1"])) == before


async def test_notice_and_sweep_at_once(world: World) -> None:
    """A notice and two sweeps at once over a dead engine's run end it once."""
    call = await killed(world)
    await asyncio.sleep(20)
    await asyncio.gather(world.sweep(), world.notice(call), world.sweep())
    assert assert_ended_once(world, call.run) == "agent_error"


async def test_a_notice_against_a_living_engine(world: World) -> None:
    """A notice that comes although its engine lives and renews ends the run at most once, and the engine gives way."""
    world.agents.scripts["assistant"] = silent
    call = await world.admitted()
    engine = asyncio.create_task(world.engine(call, invocation="i-1", lifetime_s=30))
    await asyncio.sleep(7)
    await world.notice(call, invocation="i-1")
    assert (await engine).outcome is None
    assert assert_ended_once(world, call.run) == "agent_error"
    assert world.log(call.run)[-1]["payload"]["code"] == "engine_lost"


async def test_a_function_that_always_dies_before_it_begins_ends_its_run(world: World) -> None:
    """Two notices have the attempt invoked again; the third ends the run, long before the sweep would."""
    call = await world.admitted()
    for number in range(1, 4):
        await world.notice(call, invocation=f"i-{number}")
    assert len(world.invoker.calls) == 3
    assert world.log(call.run)[-1]["payload"]["code"] == "could_not_start"
    assert assert_ended_once(world, call.run) == "agent_error"


async def test_invocations_that_expired_are_not_counted_as_deaths(world: World) -> None:
    """A function that is throttled away is left to the sweep, however often."""
    call = await world.admitted()
    for number in range(1, 5):
        await world.notice(call, invocation=f"i-{number}", expired=True)
    assert world.log_types(call.run) == ["user_message"]
