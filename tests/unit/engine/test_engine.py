"""One run attempt's engine, in virtual time."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from dayfly.agents.sdk.protocol import AgentEvent, Answered, Thinking, ToolEnded, ToolStarted, Turn
from dayfly.errors import EngineClosed, IllegalTransition
from dayfly.log.messages import ToolAnswered, UserSaid
from dayfly.metrics import Metric
from dayfly.store.rows import LeaseRow, LogRow
from tests.fakes.agents import silent
from tests.fakes.faulty_table import Call, Fault
from tests.fakes.world import World, assert_ended_once


async def test_a_run_travels_end_to_end(world: World) -> None:
    """A client that asks is sent its own message, the lifecycle in order, and the answer."""
    call = await world.admitted()
    report = await world.engine(call)
    assert report.outcome == "completed"
    assert not report.stuck
    assert [event["type"] for event in world.sockets.events("a1")] == [
        "user_message",
        "agent_started",
        "agent_thinking",
        "tool_executing",
        "tool_completed",
        "agent_thinking",
        "agent_delta",
        "agent_completed",
    ]
    assert assert_ended_once(world, call.run_id) == "agent_completed"
    assert world.sockets.events("a1") == world.log(call.run_id)
    assert world.log(call.run_id)[-1]["payload"]["result"] == "The answer is 391."
    assert world.leases() == []


async def test_the_next_message_is_given_the_history(world: World) -> None:
    """An agent is given what the thread said before."""
    first = await world.admitted("What is 17 * 23?")
    await world.engine(first)
    seen: list[Turn] = []

    async def curious(turn: Turn) -> AsyncIterator[AgentEvent]:
        seen.append(turn)
        yield Answered("Yes.")

    world.agents.scripts["curious"] = curious
    second = await world.admitted("Sure?", thread_id=first.thread_id, agent="curious")
    await world.engine(second)
    assert seen[0].text == "Sure?"
    assert [type(message).__name__ for message in seen[0].history] == [
        "UserSaid",
        "AssistantSaid",
        "ToolAnswered",
        "AssistantSaid",
    ]
    assert seen[0].history[0] == UserSaid("What is 17 * 23?")
    assert seen[0].history[2] == ToolAnswered("c-1", "calculate", "391")


async def test_an_agent_acts_only_after_the_commit(world: World) -> None:
    """When an agent goes on behind a `ToolStarted`, that event is in the log."""
    logged: list[list[str]] = []

    async def watching(turn: Turn) -> AsyncIterator[AgentEvent]:
        yield Thinking("One.", 1)
        logged.append(world.log_types(turn.context.run_id))
        yield ToolStarted("look", "c-1", {})
        logged.append(world.log_types(turn.context.run_id))
        yield ToolEnded(ToolAnswered("c-1", "look", "ok"), 0)
        logged.append(world.log_types(turn.context.run_id))
        yield Answered("Done.")

    world.agents.scripts["assistant"] = watching
    call = await world.admitted()
    await world.engine(call)
    assert [types[-1] for types in logged] == ["agent_thinking", "tool_executing", "tool_completed"]


async def test_an_engine_runs_once(world: World) -> None:
    """A second `run` of the same engine is refused."""
    call = await world.admitted()
    async with world.engines.create(world.context(call)) as engine:
        await engine.run()
        with pytest.raises(IllegalTransition):
            await engine.run()
    assert_ended_once(world, call.run_id)


async def test_a_closed_engine_refuses_to_run(world: World) -> None:
    """After close, `run` raises `EngineClosed` and writes nothing; closing again is no error."""
    call = await world.admitted()
    engine = world.engines.create(world.context(call))
    await engine.close()
    await engine.close()
    with pytest.raises(EngineClosed):
        await engine.run()
    assert world.log_types(call.run_id) == ["user_message"]
    assert world.meter.total(Metric.ENGINES_CLEANED) == 1


async def test_a_duplicate_invocation_does_nothing(world: World) -> None:
    """Of two engines for one attempt at once, one runs; the other ends without an outcome."""
    call = await world.admitted()
    reports = await asyncio.gather(world.engine(call, invocation="i-1"), world.engine(call, invocation="i-2"))
    assert sorted(str(report.outcome) for report in reports) == ["None", "completed"]
    assert_ended_once(world, call.run_id)
    assert len({row.nonce for row in world.rows(LogRow) if row.first > 1}) == 1
    assert world.meter.total(Metric.RUNS_COMPLETED) == 1


async def test_a_late_invocation_does_nothing(world: World) -> None:
    """An engine that comes after the end writes nothing and posts nothing."""
    call = await world.admitted()
    await world.engine(call)
    before = dict(world.memory.rows), len(world.sockets.frames["a1"])
    report = await world.engine(call, invocation="i-2")
    assert report.outcome is None
    assert (dict(world.memory.rows), len(world.sockets.frames["a1"])) == before


async def test_an_engine_of_another_attempt_does_nothing(world: World) -> None:
    """An engine whose attempt or `first_seq` is not the run's present one writes nothing."""
    call = await world.admitted()
    for stale in (replace(call, attempt=2), replace(call, first_seq=3)):
        assert (await world.engine(stale)).outcome is None
    assert world.log_types(call.run_id) == ["user_message"]


async def test_cancel_ends_a_silent_run_within_half_a_second(world: World) -> None:
    """A mark is seen at most 0.5 s after it was set, though the model says nothing."""
    world.agents.scripts["assistant"] = silent
    call = await world.admitted()
    engine = asyncio.create_task(world.engine(call))
    await asyncio.sleep(7.3)
    asked = world.clock.monotonic()
    reply = await world.ask("cancel", run_id=call.run_id)
    assert reply == {"type": "cancelling", "id": reply["id"], "run_id": call.run_id}
    report = await engine
    assert report.outcome == "cancelled"
    assert world.clock.monotonic() - asked <= 0.5
    assert assert_ended_once(world, call.run_id) == "agent_cancelled"
    assert [event["type"] for event in world.log(call.run_id)[-2:]] == ["agent_delta", "agent_cancelled"]


async def test_what_was_said_before_a_cancel_stays(world: World) -> None:
    """The history of a cancelled run holds the text up to the cancel."""
    world.agents.scripts["assistant"] = silent
    call = await world.admitted("Hello?")
    engine = asyncio.create_task(world.engine(call))
    await asyncio.sleep(1)
    await world.ask("cancel", run_id=call.run_id)
    await engine
    page = await world.ask("history", thread_id=call.thread_id)
    assert [(m["role"], m["text"]) for m in page["messages"]] == [("user", "Hello?"), ("assistant", "Well…")]


async def test_a_cancelled_stream_is_closed(world: World) -> None:
    """On cancellation the agent's generator is closed before the end is written."""
    closed: list[str] = []

    async def streaming(turn: Turn) -> AsyncIterator[AgentEvent]:
        try:
            yield Thinking("…", 1)
            await asyncio.sleep(3600)
        finally:
            closed.append(world.log_types(turn.context.run_id)[-1])

    world.agents.scripts["assistant"] = streaming
    call = await world.admitted()
    engine = asyncio.create_task(world.engine(call))
    await asyncio.sleep(1)
    await world.ask("cancel", run_id=call.run_id)
    await engine
    assert closed == ["agent_thinking"]


async def test_nothing_is_logged_as_unretrieved_after_a_cancel(world: World) -> None:
    """A cancel leaves no forgotten error for the event loop to complain about."""
    complaints: list[dict[str, object]] = []
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: complaints.append(context))
    world.agents.scripts["assistant"] = silent
    call = await world.admitted()
    engine = asyncio.create_task(world.engine(call))
    await asyncio.sleep(1)
    await world.ask("cancel", run_id=call.run_id)
    await engine
    del engine
    assert complaints == []


async def test_a_superseded_engine_writes_no_ending(world: World) -> None:
    """An engine whose lease is taken by another stops within a renewal; it writes no end and leaves the lease alone."""
    world.agents.scripts["assistant"] = silent
    call = await world.admitted()
    engine = asyncio.create_task(world.engine(call))
    await asyncio.sleep(2)
    lease = world.leases()[0]
    taken = replace(lease, nonce="another")
    world.memory._rows[lease.key] = taken
    report = await engine
    assert report.outcome is None
    assert world.clock.monotonic() <= 5.1
    assert world.log_types(call.run_id)[-1] == "agent_delta"
    assert world.leases() == [taken]
    assert world.meter.total(Metric.ENGINES_CLEANED) == 1


async def test_a_heartbeat_every_five_seconds_of_silence(world: World) -> None:
    """A silent run sends a heartbeat 5 s after its last event and every 5 s from there, with the last seq."""
    world.agents.scripts["assistant"] = silent
    call = await world.admitted()
    await world.engine(call, lifetime_s=31)
    beats = [
        (round(at, 2), frame)
        for at, frame in zip(world.sockets.times["a1"], world.sockets.received("a1"), strict=True)
        if frame["type"] == "agent_heartbeat"
    ]
    assert [at for at, _ in beats] == [5.0, 10.0, 15.0, 20.0, 25.0, 30.0]
    assert beats[0][1] == {
        "type": "agent_heartbeat",
        "run_id": call.run_id,
        "thread_id": call.thread_id,
        "last_seq": 4,
        "phase": "model",
        "elapsed_ms": 5000,
    }


async def test_the_lease_is_renewed_every_five_seconds(world: World) -> None:
    """While an engine lives, its lease is never due in less than 15 s."""
    world.agents.scripts["assistant"] = silent
    call = await world.admitted()
    engine = asyncio.create_task(world.engine(call, lifetime_s=60))
    for _ in range(118):
        await asyncio.sleep(0.5)
        (lease,) = world.leases()
        assert lease.state == "held"
        assert 15_000 <= lease.due - world.clock.now_ms() <= 20_000
    assert (await engine).outcome == "handed_over"
    assert [lease.state for lease in world.leases()] == ["waiting"]


async def test_a_lost_renewal_does_not_end_a_run(world: World) -> None:
    """One renewal that is refused or whose answer is lost changes nothing."""
    world.agents.scripts["assistant"] = silent
    call = await world.admitted()
    engine = asyncio.create_task(world.engine(call, lifetime_s=20))
    await asyncio.sleep(2)
    renewals: list[Call] = []

    def lose_some(one: Call) -> Fault | None:
        if one.method == "write" and len(one.actions) == 1:
            renewals.append(one)
            return Fault.REFUSED if len(renewals) == 1 else Fault.ANSWER_LOST if len(renewals) == 2 else None
        return None

    world.table.plan = lose_some
    assert (await engine).outcome == "handed_over"
    assert len(renewals) >= 3
    assert world.log_types(call.run_id)[-1] == "agent_resumed"


async def test_a_device_that_attaches_mid_run_is_greeted(world: World) -> None:
    """A socket that attaches while the run is silent is sent the past by attach, and the end by the engine."""
    world.agents.scripts["assistant"] = silent
    call = await world.admitted()
    engine = world.starts(call)
    await asyncio.sleep(3)
    attached = await world.ask("attach", thread_id=call.thread_id, connection="a2")
    assert attached["runs"] == [{"run_id": call.run_id, "status": "running", "seq": 4}]
    await world.ask("cancel", run_id=call.run_id)
    assert (await engine).outcome == "cancelled"
    assert world.sockets.events("a2") == world.log(call.run_id)


async def test_a_lease_left_behind_by_an_engine_is_its_own(world: World) -> None:
    """A held lease names the attempt's `first_seq` and the nonce of its records."""
    world.agents.scripts["assistant"] = silent
    call = await world.admitted()
    engine = asyncio.create_task(world.engine(call, lifetime_s=4))
    await asyncio.sleep(1)
    lease = world.rows(LeaseRow)[0]
    assert (lease.first_seq, lease.nonce) == (2, world.rows(LogRow)[1].nonce)
    await engine
