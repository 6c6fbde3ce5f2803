"""Makes engines; never degrades."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import fields, replace
from typing import Any

import pytest

from dayfly.agents.sdk.protocol import AgentEvent, Answered, Thinking, ToolEnded, ToolStarted, Turn
from dayfly.context.execution import UserExecutionContext
from dayfly.delivery.bridge import WebSocketBridge
from dayfly.delivery.broadcast import Broadcast
from dayfly.engine.agent_host import AgentHost, ThreadHost
from dayfly.engine.engine import IsolatedExecutionEngine
from dayfly.engine.factory import ExecutionEngineFactory
from dayfly.engine.periodic_updates import PeriodicUpdateManager
from dayfly.errors import ConfigurationError, UnknownAgent
from dayfly.log.messages import ToolAnswered
from dayfly.log.writer import LogPosition, LogWriter
from dayfly.metrics import Metric
from dayfly.runs.ports import Ports
from tests.fakes.hosts import InlineHost
from tests.fakes.world import World, assert_ended_once


def collaborators(world: World, **others: Any) -> dict[str, Any]:
    return {"ports": world.ports, "agents": world.agents, "host": InlineHost, **others}


def test_the_inline_host_is_a_host() -> None:
    """The test's host satisfies the protocol that the factory checks."""
    assert isinstance(InlineHost(), AgentHost)


@pytest.mark.parametrize("name", ["table", "poster", "invoker", "clock", "meter"])
def test_a_port_of_none_is_refused_by_name(world: World, name: str) -> None:
    """No port can be built per run: a bundle without one is not made; with all it is."""
    given = {field.name: getattr(world.ports, field.name) for field in fields(Ports)}
    with pytest.raises(ConfigurationError, match=name):
        Ports(**{**given, name: None})
    assert Ports(**given) == world.ports


@pytest.mark.parametrize("name", ["ports", "agents"])
def test_what_cannot_be_built_per_run_is_refused_by_name(world: World, name: str) -> None:
    """`None` for a collaborator that cannot be built per run raises, names it, and leaves the factory unconfigured."""
    factory = ExecutionEngineFactory()
    with pytest.raises(ConfigurationError, match=name):
        factory.configure(**collaborators(world, **{name: None}))
    factory.configure(**collaborators(world))


async def test_recipes_of_none_are_built_per_run(world: World) -> None:
    """With `None` for bridge, updates and host each engine gets its own; two users' engines share none of them."""
    factory = ExecutionEngineFactory()
    factory.configure(**collaborators(world, bridge=None, updates=None, host=None))
    calls = [await world.admitted(), await world.admitted(user="u-bob", connection="b1")]
    engines = [factory.create(world.context(call)) for call in calls]
    for name in ("_bridge", "_updates", "_host", "_agent"):
        assert getattr(engines[0], name) is not getattr(engines[1], name)
    assert isinstance(engines[0]._host, ThreadHost)
    for engine in engines:
        await engine.close()


async def test_two_users_at_once_created_run_and_closed(world: World) -> None:
    """Engines of two users, created, run and closed at once: each client is sent its own run and nothing else."""

    async def private(turn: Turn) -> AsyncIterator[AgentEvent]:
        for step in range(1, 6):
            yield Thinking(f"{turn.context.user_id} {step}", step)
            await asyncio.sleep(0.1)
        yield Answered(f"Hello {turn.context.user_id}: {turn.text}")

    world.agents.scripts["assistant"] = private
    alice = await world.admitted("from alice")
    bob = await world.admitted("from bob", user="u-bob", connection="b1")
    reports = await asyncio.gather(world.engine(alice), world.engine(bob))
    assert [report.outcome for report in reports] == ["completed", "completed"]
    assert_ended_once(world, alice.run_id)
    assert_ended_once(world, bob.run_id, connection="b1")
    assert world.sockets.events("a1") == world.log(alice.run_id)
    assert world.sockets.events("b1") == world.log(bob.run_id)
    assert b"bob" not in b"".join(world.sockets.frames["a1"])
    assert b"alice" not in b"".join(world.sockets.frames["b1"])
    assert {key.pk for key, row in world.memory.rows.items() if bob.run_id in key.sk} == {"USER#u-bob"}
    assert world.meter.total(Metric.ENGINES_CREATED) == world.meter.total(Metric.ENGINES_CLEANED) == 2


async def test_a_factory_that_was_not_configured_creates_nothing(world: World) -> None:
    """`create` before `configure` raises."""
    call = await world.admitted()
    with pytest.raises(ConfigurationError):
        ExecutionEngineFactory().create(world.context(call))


def test_a_factory_is_configured_once(world: World) -> None:
    """A second `configure` raises, and the first stands."""
    factory = ExecutionEngineFactory()
    factory.configure(**collaborators(world))
    with pytest.raises(ConfigurationError):
        factory.configure(**collaborators(world))


async def test_an_unknown_agent_is_named(world: World) -> None:
    """An agent that is not installed raises `UnknownAgent`; no other takes its place."""
    call = await world.admitted(agent="nobody")
    with pytest.raises(UnknownAgent, match="nobody"):
        world.engines.create(world.context(call))
    assert world.meter.total(Metric.ENGINES_CREATED) == 0


@pytest.mark.parametrize("name", ["bridge", "updates", "host"])
async def test_a_recipe_that_gives_another_type_is_refused(world: World, name: str) -> None:
    """What a recipe gives is checked: another type raises, by the recipe's name."""
    factory = ExecutionEngineFactory()
    factory.configure(**collaborators(world, **{name: lambda *args: object()}))
    with pytest.raises(ConfigurationError, match=name):
        factory.create(world.context(await world.admitted()))


@pytest.mark.parametrize("name", ["bridge", "updates", "host"])
async def test_a_recipe_whose_constructor_does_not_match_raises(world: World, name: str) -> None:
    """A recipe that cannot be called as it is meant to raises at `create`; nothing is made instead."""

    def mismatch(*, something: int) -> object:
        return something

    factory = ExecutionEngineFactory()
    factory.configure(**collaborators(world, **{name: mismatch}))
    with pytest.raises(TypeError):
        factory.create(world.context(await world.admitted()))
    assert world.meter.total(Metric.ENGINES_CREATED) == 0


async def test_an_agents_recipe_that_gives_no_agent_is_refused(world: World) -> None:
    """An agent without `run` raises `ConfigurationError`."""

    class Agents:
        def recipe(self, name: str) -> Any:
            return object

    factory = ExecutionEngineFactory()
    factory.configure(**collaborators(world, agents=Agents()))
    with pytest.raises(ConfigurationError, match="assistant"):
        factory.create(world.context(await world.admitted()))


async def test_an_agent_whose_making_raises_is_refused(world: World) -> None:
    """Whatever a developer's own class raises is a `ConfigurationError` with its cause: the run can be ended."""

    class Agents:
        def recipe(self, name: str) -> Any:
            def make() -> object:
                raise KeyError("REGION")

            return make

    factory = ExecutionEngineFactory()
    factory.configure(**collaborators(world, agents=Agents()))
    with pytest.raises(ConfigurationError, match=r"assistant.*KeyError") as refused:
        factory.create(world.context(await world.admitted()))
    assert isinstance(refused.value.__cause__, KeyError)


async def test_own_recipes_are_used(world: World) -> None:
    """Given recipes are called once per engine, the bridge's with the context."""
    contexts: list[UserExecutionContext] = []

    def bridge(context: UserExecutionContext) -> WebSocketBridge:
        contexts.append(context)
        position = LogPosition(
            ref=context.ref,
            agent_name="renamed",
            invocation_id=context.invocation_id,
            next_seq=context.first_seq,
        )
        delivery = Broadcast(world.table, world.sockets, context.ref)
        return WebSocketBridge(LogWriter(world.table, world.clock, position), delivery, world.clock)

    async def silent(turn: Turn) -> AsyncIterator[AgentEvent]:
        await asyncio.sleep(3.5)
        yield Answered("Done.")

    world.agents.scripts["assistant"] = silent
    factory = ExecutionEngineFactory()
    factory.configure(**collaborators(world, bridge=bridge, updates=lambda: PeriodicUpdateManager(every_s=1.0)))
    call = await world.admitted()
    async with factory.create(world.context(call)) as engine:
        assert isinstance(engine, IsolatedExecutionEngine)
        await engine.run()
    assert contexts == [replace(engine.context)]
    assert {event["agent_name"] for event in world.log(call.run_id)[1:]} == {"renamed"}
    assert world.sockets.types("a1").count("agent_heartbeat") == 3


@pytest.mark.parametrize("last", ["agent_resumed", "agent_cancelled"])
async def test_a_tool_that_outlives_its_cancel_logs_nothing_behind_the_last_event(world: World, last: str) -> None:
    """An agent that shields its tool from the cancel and comes back while the last event of its engine is being posted
    is not heard: what follows the hand-over is another engine's."""

    late: list[str] = []

    async def stubborn(turn: Turn) -> AsyncIterator[AgentEvent]:
        yield ToolStarted("wait", "c-1", {})
        try:
            await asyncio.sleep(3600)
        except asyncio.CancelledError:
            await asyncio.sleep(1)
            late.append(world.log_types(turn.context.run_id)[-1])
        yield ToolEnded(ToolAnswered("c-1", "wait", "late"), 1)
        yield Answered("Late.")

    world.agents.scripts["assistant"] = stubborn
    world.sockets.delays["a1"] = 1.5
    call = await world.admitted()
    engine = world.starts(call, lifetime_s=5)
    if last == "agent_cancelled":
        await asyncio.sleep(3)
        await world.ask("cancel", run_id=call.run_id, connection="a2")
    report = await engine
    assert report.outcome == ("cancelled" if last == "agent_cancelled" else "handed_over")
    await asyncio.sleep(30)
    assert late == [last], "it came back while that was being posted"
    assert world.log_types(call.run_id)[-1] == last
    assert [event["seq"] for event in world.log(call.run_id)] == list(range(1, len(world.log(call.run_id)) + 1))
