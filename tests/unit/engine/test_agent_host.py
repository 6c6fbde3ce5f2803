"""An agent in a thread of its own: in real time, with wide ceilings."""

import asyncio
import threading
import time
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from dayfly.agents.sdk.protocol import AgentEvent, Answered, Thinking, ToolStarted, Turn
from dayfly.clock import SystemClock
from dayfly.engine.agent_host import GRACE_S, AgentHost, ThreadHost
from dayfly.engine.audience_watcher import LOOK_S
from dayfly.engine.engine import RunReport
from dayfly.engine.factory import ExecutionEngineFactory
from dayfly.errors import AgentFailed, EngineClosed, IllegalTransition
from tests.fakes.world import World, assert_ended_once


async def seen(world: World, kind: str) -> None:
    """Returns when an event of this type has reached the client."""
    while kind not in world.sockets.types("a1"):  # noqa: ASYNC110  what was posted is plain data, nothing to wait on
        await asyncio.sleep(0.01)


def test_a_cancel_while_a_tool_blocks() -> None:
    """A tool that blocks its thread stalls neither cancel nor the end: the end is posted, and the engine says that it
    is stuck."""
    release = threading.Event()

    async def blocking(turn: Turn) -> AsyncIterator[AgentEvent]:
        yield Thinking("…", 1)
        yield ToolStarted("block", "c-1", {})
        release.wait(20)
        yield Answered("Too late.")

    async def scenario() -> tuple[World, str, RunReport, float]:
        world = World()
        world.agents.scripts["assistant"] = blocking
        factory = ExecutionEngineFactory()
        factory.configure(
            ports=replace(world.ports, clock=SystemClock()),
            agents=world.agents,
            host=ThreadHost,
        )
        call = await world.admitted()
        async with factory.create(world.context(call)) as engine:
            running = asyncio.create_task(engine.run())
            await seen(world, "tool_executing")
            asked = time.monotonic()
            await world.ask("cancel", run_id=call.run_id)
            await seen(world, "agent_cancelled")
            took = time.monotonic() - asked
            report = await running
        release.set()
        await asyncio.sleep(0.1)
        return world, call.run_id, report, took

    world, run, report, took = asyncio.run(scenario())
    assert (report.outcome, report.stuck) == ("cancelled", True)
    assert took < 5
    assert assert_ended_once(world, run) == "agent_cancelled"


def test_an_agent_runs_in_another_thread_and_crosses_back() -> None:
    """The agent's coroutine runs on a loop of its own thread; `call` runs on the engine's; errors cross as they are."""

    async def scenario() -> list[str]:
        seen: list[str] = []
        host = ThreadHost()
        assert isinstance(host, AgentHost)

        async def on_engine() -> str:
            seen.append(threading.current_thread().name)
            return "value"

        async def drive() -> None:
            seen.append(threading.current_thread().name)
            seen.append(await host.call(on_engine))
            raise AgentFailed("on purpose")

        host.start(drive)
        with pytest.raises(AgentFailed, match="on purpose"):
            await host.wait()
        with pytest.raises(IllegalTransition):
            host.start(drive)
        assert await host.stop()
        assert await host.stop()
        return seen

    assert asyncio.run(scenario()) == ["agent", "MainThread", "value"]


def test_a_cancelled_agent_stops_and_leaves_no_thread() -> None:
    """`stop` cancels the agent, runs its cleanup, and joins its thread; a host that never started stops at once."""

    async def scenario() -> list[str]:
        cleaned: list[str] = []
        host = ThreadHost()

        async def drive() -> None:
            try:
                await asyncio.sleep(60)
            finally:
                cleaned.append("closed")

        host.start(drive)
        await asyncio.sleep(0.05)
        assert await host.stop()
        with pytest.raises(EngineClosed):
            await host.wait()
        assert await ThreadHost().stop()
        return cleaned

    before = threading.active_count()
    assert asyncio.run(scenario()) == ["closed"]
    assert threading.active_count() == before


def test_a_cancelled_agent_has_a_moment_to_clean_up() -> None:
    """What it does within its grace is waited for; beyond it, `stop` returns and says that the agent still runs."""

    async def stopped(cleanup_s: float) -> tuple[bool, float]:
        host, begun, release = ThreadHost(), threading.Event(), threading.Event()

        async def drive() -> None:
            begun.set()
            try:
                await asyncio.sleep(60)
            finally:
                release.wait(cleanup_s)

        host.start(drive)
        await asyncio.to_thread(begun.wait, 20)
        asked = time.monotonic()
        done = await host.stop()
        took = time.monotonic() - asked
        release.set()
        assert await host.stop(patience_s=20)
        return done, took

    assert asyncio.run(stopped(0.02))[0] is True
    done, took = asyncio.run(stopped(20))
    assert done is False
    assert GRACE_S * 0.9 <= took < 10


def test_an_agent_that_never_yields_is_left_behind() -> None:
    """An agent's pure Python that goes on and on stalls neither `stop` nor the engine's loop."""
    release = threading.Event()

    async def busy() -> None:
        while not release.is_set():
            pass

    async def scenario() -> bool:
        host = ThreadHost()
        host.start(busy)
        done = await host.stop()
        release.set()
        await host.stop(patience_s=20)
        return done

    assert asyncio.run(scenario()) is False


def test_a_second_leaves_time_for_the_end() -> None:
    """A cancel is seen, and the agent given up, in three quarters of it."""
    assert LOOK_S + GRACE_S <= 0.75
