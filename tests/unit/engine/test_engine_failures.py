"""How an attempt ends when the agent, its words, or the table fail; in virtual time."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator

import pytest

from dayfly.agents.sdk.protocol import (
    AgentEvent,
    Answered,
    Asked,
    Delta,
    OpenCall,
    Responded,
    Thinking,
    ToolEnded,
    ToolStarted,
    Turn,
)
from dayfly.errors import AgentFailed, ModelFailed, Unsettled
from dayfly.log.messages import AssistantSaid, ToolAnswered, ToolCall
from dayfly.metrics import Metric
from dayfly.protocol.limits import EVENT_BYTES
from dayfly.store.rows import LogRow
from tests.fakes.agents import calculator, silent
from tests.fakes.faulty_table import Fault
from tests.fakes.world import World, assert_ended_once, assert_history


async def test_a_step_that_fits_into_no_engine_ends_its_run(world: World) -> None:
    """At its deadline an engine hands over; where the same step is cut again, the run ends with `step_too_long`."""
    world.agents.scripts["assistant"] = silent
    call = await world.admitted()
    started = world.clock.monotonic()
    first, second = await world.serve(lifetime_s=60)
    assert (first.outcome, second.outcome) == ("handed_over", "failed")
    assert 120 <= world.clock.monotonic() - started < 120.1
    assert assert_ended_once(world, call.run_id) == "agent_error"
    payload = world.log(call.run_id)[-1]["payload"]
    assert (payload["code"], payload["retryable"]) == ("step_too_long", False)


async def test_an_agents_own_failure_shows_no_secret(world: World) -> None:
    """An error that an agent raises on purpose is told in its words, without the secret that they quote."""

    async def quoting(turn: Turn) -> AsyncIterator[AgentEvent]:
        yield Thinking("…", 1)
        turn.secrets.values.add("sk_live_51Habc")
        raise AgentFailed("The shop refused sk_live_51Habc.")

    world.agents.scripts["assistant"] = quoting
    call = await world.admitted()
    await world.engine(call)
    assert world.log(call.run_id)[-1]["payload"]["message"] == "The shop refused [redacted]."


async def test_an_agents_exception_leaks_nothing(world: World, caplog: pytest.LogCaptureFixture) -> None:
    """An agent that raises ends its run with `agent_failed`; the exception's text is in the log, and in no frame."""

    async def broken(turn: Turn) -> AsyncIterator[AgentEvent]:
        yield Thinking("…", 1)
        raise KeyError("hunter2")

    world.agents.scripts["assistant"] = broken
    call = await world.admitted()
    with caplog.at_level(logging.ERROR, "dayfly.engine"):
        report = await world.engine(call)
    assert report.outcome == "failed"
    assert assert_ended_once(world, call.run_id) == "agent_error"
    assert world.log(call.run_id)[-1]["payload"]["code"] == "agent_failed"
    assert b"hunter2" not in b"".join(world.sockets.frames["a1"])
    assert "hunter2" in caplog.text


async def test_a_providers_failure_has_its_own_code(world: World) -> None:
    """A `ModelFailed` ends the run with `model_failed`, retryable."""

    async def refused(turn: Turn) -> AsyncIterator[AgentEvent]:
        yield Thinking("…", 1)
        raise ModelFailed("The model is busy.")

    world.agents.scripts["assistant"] = refused
    call = await world.admitted()
    await world.engine(call)
    payload = world.log(call.run_id)[-1]["payload"]
    assert payload == {"code": "model_failed", "message": "The model is busy.", "retryable": True}


async def test_an_agent_without_an_answer_has_failed(world: World) -> None:
    """A generator that ends without `Answered` ends its run with `agent_failed`."""

    async def mute(turn: Turn) -> AsyncIterator[AgentEvent]:
        yield Thinking("…", 1)

    world.agents.scripts["assistant"] = mute
    call = await world.admitted()
    await world.engine(call)
    assert world.log(call.run_id)[-1]["payload"]["code"] == "agent_failed"
    assert_ended_once(world, call.run_id)


async def test_an_agent_may_say_nothing_after_its_answer(world: World) -> None:
    """An agent that goes on after `Answered` has failed."""

    async def chatty(turn: Turn) -> AsyncIterator[AgentEvent]:
        yield Answered("Done.")
        yield Delta("One more thing.")

    world.agents.scripts["assistant"] = chatty
    call = await world.admitted()
    await world.engine(call)
    assert world.log(call.run_id)[-1]["payload"]["code"] == "agent_failed"


async def test_tool_and_model_texts_that_no_frame_can_carry(world: World) -> None:
    """Lone surrogates and deeply nested values from a tool or a model end up as something readable, not as a hang."""
    nested = "[" * 1500 + "]" * 1500

    async def odd(turn: Turn) -> AsyncIterator[AgentEvent]:
        yield Thinking("\udc80", 1)
        yield Responded(AssistantSaid("\udc80"))
        deep: list[object] = []
        for _ in range(400):
            deep = [deep]
        yield ToolStarted("od\udc80d", "c\udc80", {"a\udc80": "b\udc80", "deep": deep})  # type: ignore[dict-item]
        yield ToolEnded(ToolAnswered("c\udc80", "od\udc80d", "x\udc80"), 1)
        yield ToolStarted("odd", "c-2", {})
        yield ToolEnded(ToolAnswered("c-2", "odd", nested), 1)
        yield Delta("\udc80")
        yield Responded(AssistantSaid("\udc80"))
        yield Answered("\udc80")

    world.agents.scripts["assistant"] = odd
    call = await world.admitted()
    report = await asyncio.wait_for(world.engine(call), 30)
    assert report.outcome == "completed"
    assert world.log(call.run_id)[-1]["payload"]["result"] == "\ufffd"
    assert_ended_once(world, call.run_id)


async def test_a_failure_text_of_any_size_and_alphabet_is_shown(world: World) -> None:
    """A failure's message is made to fit an event."""

    async def refused(turn: Turn) -> AsyncIterator[AgentEvent]:
        yield Thinking("t" * 100_000, 1)
        raise ModelFailed("\udc80" + "x" * 100_000)

    world.agents.scripts["assistant"] = refused
    call = await world.admitted()
    await asyncio.wait_for(world.engine(call), 30)
    assert assert_ended_once(world, call.run_id) == "agent_error"
    assert all(len(frame) <= 28 * 1024 for frame in world.sockets.frames["a1"])


async def test_an_answer_in_one_piece_of_any_length(world: World) -> None:
    """A model that says half a megabyte at once has said it: whole in the deltas and the history, cut in the answer."""
    text = "äb\x01" * 150_000

    async def long(turn: Turn) -> AsyncIterator[AgentEvent]:
        yield Thinking("…", 1)
        yield Delta(text)
        yield Responded(AssistantSaid(text))
        yield Answered(text)

    world.agents.scripts["assistant"] = long
    call = await world.admitted()
    report = await world.engine(call)
    assert report.outcome == "completed"
    log = world.log(call.run_id)
    assert "".join(e["payload"]["text"] for e in log if e["type"] == "agent_delta") == text
    assert log[-1]["payload"]["truncated"] is True
    assert all(len(frame) <= 28 * 1024 for frame in world.sockets.frames["a1"])
    assert_ended_once(world, call.run_id)


async def test_what_a_model_invents_is_bounded_in_events_and_whole_in_the_journal(world: World) -> None:
    """A tool's name of 200,000 characters fits no event; the model is given back what it has said, also by a later
    attempt, and the thread's history holds it."""
    name, call_id = "n" * 200_000, "i" * 200_000
    arguments = json.dumps({"k" * 200_000: "v" * 1_000_000})
    turns: list[Turn] = []

    async def inventive(turn: Turn) -> AsyncIterator[AgentEvent]:
        turns.append(turn)
        if not turn.resumed:
            yield Thinking("…", 1)
            yield Responded(AssistantSaid("", (ToolCall(call_id, name, arguments),)))
            yield ToolStarted(name, call_id, {"k" * 200_000: "v"})
            yield ToolEnded(ToolAnswered(call_id, name, "r" * 1_000_000), 1)
            yield Thinking("…", 2)
            await asyncio.sleep(3600)
        yield Answered("Done.")

    call = await world.killed(inventive)
    await world.notice(call)
    assert [report.outcome for report in await world.serve()] == [None, "completed"]
    assert assert_ended_once(world, call.run_id) == "agent_completed"
    assert all(len(frame) <= EVENT_BYTES for frame in world.sockets.frames["a1"])
    assert max(len(text.encode()) for row in world.rows(LogRow) for text in row.events) <= EVENT_BYTES
    events = {event["type"]: event["payload"] for event in world.log(call.run_id)}
    assert events["tool_executing"]["tool_call_id"] == events["tool_completed"]["tool_call_id"]
    said, answer = turns[1].resumed
    fitting = events["tool_executing"]["tool_call_id"]
    assert said == AssistantSaid("", (ToolCall(fitting, name, arguments),))
    assert answer == ToolAnswered(fitting, name, "r" * 1_000_000)
    assert not turns[1].in_doubt
    assert (await assert_history(world, call.thread_id))[1:3] == [said, answer]


async def test_a_call_with_an_invented_id_that_was_cut_off_is_in_doubt(world: World) -> None:
    """A later attempt knows it by the id that the journal has for it."""
    call_id = "i" * 200_000
    turns: list[Turn] = []

    async def cut_off(turn: Turn) -> AsyncIterator[AgentEvent]:
        turns.append(turn)
        if turn.resumed:
            yield Answered("Done.")
            return
        yield Thinking("…", 1)
        yield Responded(AssistantSaid("", (ToolCall(call_id, "pay", "{}"),)))
        yield ToolStarted("pay", call_id, {})
        await asyncio.sleep(3600)

    call = await world.killed(cut_off)
    await world.notice(call)
    await world.serve()
    (said,) = turns[1].resumed
    assert isinstance(said, AssistantSaid)
    assert turns[1].in_doubt == {said.calls[0].call_id}


async def test_a_call_with_an_invented_id_can_be_approved(world: World) -> None:
    """By the id that its event names."""
    call_id = "i" * 200_000

    async def asks(turn: Turn) -> AsyncIterator[AgentEvent]:
        if not turn.resumed:
            yield Thinking("…", 1)
            yield Responded(AssistantSaid("", (ToolCall(call_id, "pay", "{}"),)))
            yield Asked((OpenCall("p" * 200_000, call_id, {}),))
            return
        (said,) = turn.resumed
        assert isinstance(said, AssistantSaid)
        (decision,) = turn.decisions
        assert decision.call_id == said.calls[0].call_id
        yield Answered("Allowed." if decision.approved else "Denied.")

    world.agents.scripts["assistant"] = asks
    call = await world.admitted()
    await world.serve()
    requested = world.log(call.run_id)[-1]
    assert len(json.dumps(requested)) <= EVENT_BYTES
    assert (await world.approve(call.run_id, requested["payload"]["tool_call_id"]))["type"] == "approved"
    await world.serve()
    assert world.log(call.run_id)[-1]["payload"]["result"] == "Allowed."


async def test_an_unreachable_log_leaves_the_run_to_recovery(world: World) -> None:
    """Where no write comes through any more, `run` raises `Unsettled`; once the table answers, the sweep has another
    engine go on."""
    world.agents.scripts["assistant"] = silent
    call = await world.admitted()
    engine = asyncio.create_task(world.engine(call, lifetime_s=20))
    await asyncio.sleep(2)
    world.table.plan = lambda one: Fault.REFUSED
    with pytest.raises(Unsettled):
        await engine
    world.table.plan = lambda one: None
    await asyncio.sleep(60)
    await world.sweep()
    assert world.log(call.run_id)[-1]["payload"] == {"attempt": 2, "reason": "engine_lost", "discard_after": 1}
    world.agents.scripts["assistant"] = calculator
    assert [report.outcome for report in await world.serve()] == [None, "completed"]
    assert assert_ended_once(world, call.run_id) == "agent_completed"


@pytest.mark.parametrize("fault", list(Fault))
async def test_any_one_call_may_fail(fault: Fault) -> None:
    """Whichever one call of the table fails in an engine, the run completes, exactly once, with a gap-free log."""
    number = 0
    while True:
        world = World()
        call = await world.admitted()
        world.table.fail_once(number, fault)
        first = len(world.table.calls)
        await world.engine(call)
        if len(world.table.calls) <= first + number:
            break
        if world.leases():
            await asyncio.sleep(61)
            await world.sweep()
        assert assert_ended_once(world, call.run_id) == "agent_completed", world.table.calls[first + number]
        assert world.leases() == []
        assert world.meter.total(Metric.RUNS_COMPLETED) == 1
        number += 1
    assert number >= 12


async def test_an_agent_that_yields_what_is_no_event(world: World) -> None:
    """It fails its run, instead of being passed over in silence."""

    async def odd(turn: Turn) -> AsyncIterator[AgentEvent]:
        yield Thinking("…", 1)
        yield 5  # type: ignore[misc]
        yield Answered("ok")

    world.agents.scripts["assistant"] = odd
    call = await world.admitted()
    assert (await world.engine(call)).outcome == "failed"
    assert world.log(call.run_id)[-1]["payload"]["code"] == "agent_failed"
