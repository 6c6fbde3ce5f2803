"""What docs/protocol.md claims about runs, their order and their queue, held against router, engines and recovery."""

import asyncio
import json
from typing import Any

import pytest

from dayfly.engine.periodic_updates import HEARTBEAT_S
from dayfly.protocol.events import AgentResumed
from dayfly.recovery.actions import MOST_RESUMES
from scripts.protocol_docs import examples
from tests.fakes.agents import Programme, Round, echo, silent
from tests.fakes.sockets import JsonObject
from tests.fakes.world import World, assert_ended_once
from tests.unit.protocol_docs.demo import calls_asked, install_demo, says

OF_THIS_RUN = {"run_id", "thread_id", "timestamp", "request_id", "execution_time_ms", "usage", "expires_at"}


def shape(event: JsonObject) -> JsonObject:
    """An event without its names and times, which no two runs share; their fields stay."""
    plain = {**event, "payload": {key: value for key, value in event["payload"].items() if key not in OF_THIS_RUN}}
    fields = {*event, *event["payload"]}
    return {**{key: value for key, value in plain.items() if key not in OF_THIS_RUN}, "fields": sorted(fields)}


def shapes(events: list[JsonObject]) -> list[JsonObject]:
    """The events' shapes, with consecutive deltas as one: where a text is cut, and so how many events it makes, is a
    matter of moments."""
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
    whole: list[JsonObject] = []
    for event in map(shape, events):
        event["seq"] = len(whole) + 1
        if whole and event["type"] == whole[-1]["type"] == "agent_delta":
            whole[-1]["payload"]["text"] += event["payload"]["text"]
        else:
            whole.append(event)
    return whole


def as_documented(shown: tuple[Any, ...]) -> list[JsonObject]:
    """Events of the page as a client reads them."""
    return shapes([json.loads(examples.encoded(event)) for event in shown])


async def test_example_run_is_a_real_one(world: World) -> None:
    """The page's first run is what the demo's agent does with this message, but for names and times."""
    install_demo(world)
    run = await says(world, "What is 17 * 23?")
    assert shapes(world.log(run)) == as_documented(examples.RUN_EVENTS)


async def test_example_approval_is_a_real_one(world: World) -> None:
    """The page's second run is what the demo's agent does when it may forget a note, but for names and times."""
    install_demo(world)
    await says(world, "Remember that my code is X17")
    run = await says(world, "Forget the note about X17")
    (call,) = calls_asked(world, run)
    assert (await world.approve(run, call["tool_call_id"]))["type"] == "approved"
    await world.serve()
    assert shapes(world.log(run)) == as_documented(examples.APPROVAL_EVENTS)


async def test_example_resume_is_a_real_one(world: World) -> None:
    """An engine lost at the answer's text leaves the page's `agent_resumed`: the text since the last tool is void."""
    words = Programme(Round(calls=("c-1",)), Round("Well, this is so.", think_s=5))
    call = await world.killed(words)
    await world.notice(call)
    last = world.log(call.run_id)[-1]
    shown = examples.of_event(AgentResumed)
    assert shape({**last, "agent_name": examples.AGENT}) == shape(json.loads(examples.encoded(shown)))


async def test_a_waiting_run_has_its_message_until_it_begins(world: World) -> None:
    """A queued run's message is seen at once and nothing else, however long it takes; it begins behind the end before
    it, and its silence is no gap."""
    world.agents.scripts["assistant"] = silent
    call = await world.admitted()
    engine = world.starts(call)
    waiting = await world.queued(call, agent="echo")
    await asyncio.sleep(600)
    mine = [frame for frame in world.sockets.received("a1") if frame.get("run_id") == waiting]
    assert [frame["type"] for frame in mine] == ["accepted", "user_message"]
    await world.ask("cancel", run_id=call.run_id)
    await engine
    assert world.invoker.calls[-1].run_id == waiting
    await world.engine(world.invoker.calls[-1])
    order = [(event["run_id"], event["type"]) for event in world.sockets.events("a1")]
    assert order.index((call.run_id, "agent_cancelled")) < order.index((waiting, "agent_started"))
    assert_ended_once(world, waiting)


async def test_a_waiting_run_can_be_cancelled(world: World) -> None:
    """A queued run that is cancelled ends at once, and the others move up."""
    call = await world.admitted()
    first, second = await world.queued(call), await world.queued(call)
    assert (await world.ask("cancel", run_id=first))["type"] == "cancelling"
    assert world.log_types(first) == ["user_message", "agent_cancelled"]
    (entry,) = (await world.ask("threads"))["items"]
    assert (entry["active_run"], entry["queue"]) == (call.run_id, [second])


async def test_interrupts_come_before_what_waits(world: World) -> None:
    """An interrupt ends the run under way with an event of its own, and is next: before a message that waited, behind
    an earlier interrupt."""
    world.agents.scripts["assistant"] = silent
    call = await world.admitted()
    engine = world.starts(call)
    await asyncio.sleep(1)
    world.agents.scripts["assistant"] = echo
    patient = await world.queued(call)
    hasty = await world.queued(call, if_busy="interrupt")
    hastier = await world.queued(call, if_busy="interrupt")
    await engine
    await world.serve()
    assert assert_ended_once(world, call.run_id) == "agent_cancelled"
    begun = [e["run_id"] for e in world.sockets.events("a1") if e["type"] == "agent_started"]
    assert begun == [call.run_id, hasty, hastier, patient]


async def test_attach_tells_where_queued_runs_stand(world: World) -> None:
    """`attach` without cursors replays the run under way and those that wait, each with its status and position."""
    call = await world.admitted()
    first, second = await world.queued(call), await world.queued(call)
    attached = await world.ask("attach", thread_id=call.thread_id, connection="b1")
    assert attached["runs"] == [
        {"run_id": call.run_id, "status": "running", "seq": 1},
        {"run_id": first, "status": "queued", "seq": 1, "position": 1},
        {"run_id": second, "status": "queued", "seq": 1, "position": 2},
    ]
    assert [event["run_id"] for event in world.sockets.events("b1")] == [call.run_id, first, second]


async def test_a_running_run_sends_heartbeats(world: World) -> None:
    """A run under way that says nothing sends a heartbeat every few seconds, by the time that the page names."""
    world.agents.scripts["assistant"] = silent
    call = await world.admitted()
    engine = world.starts(call)
    await asyncio.sleep(60)
    assert len(world.sockets.received("a1", "agent_heartbeat")) >= 60 / HEARTBEAT_S - 1
    await world.ask("cancel", run_id=call.run_id)
    await engine


async def test_a_resumed_run_goes_on_in_place(world: World) -> None:
    """Where an engine was lost the run has no second `agent_started`; the request that was cut is told anew, with the
    same step; the tool that had completed does not run again."""
    words = Programme(Round(calls=("c-1",)), Round("Well, this is so.", think_s=5))
    call = await world.killed(words)
    await world.notice(call)
    await world.serve()
    assert assert_ended_once(world, call.run_id) == "agent_completed"
    log = world.log(call.run_id)
    assert world.log_types(call.run_id).count("agent_started") == 1
    assert [e["payload"]["step_number"] for e in log if e["type"] == "agent_thinking"] == [1, 2, 2]
    assert words.ran == ["c-1"]
    assert log[-1]["payload"]["usage"]["requests"] == 2


async def test_the_real_agent_numbers_steps_in_the_same_way(world: World) -> None:
    """The demo's agent, lost in its answer, tells that step again under its number."""
    install_demo(world)
    reply = await world.ask("run", text="tell me a long story, slowly")
    engine = world.starts(world.invoker.calls[-1])
    await asyncio.sleep(5)
    await world.crash(engine)
    await world.notice(world.invoker.calls[-1])
    await world.engine(world.invoker.calls[-1], invocation="i-2")
    log = world.log(reply["run_id"])
    assert [e["payload"]["step_number"] for e in log if e["type"] == "agent_thinking"] == [1, 1]
    void = next(e["payload"]["discard_after"] for e in log if e["type"] == "agent_resumed")
    resumed = next(e["seq"] for e in log if e["type"] == "agent_resumed")
    deltas = [e for e in log if e["type"] == "agent_delta" and not void < e["seq"] < resumed]
    assert "".join(e["payload"]["text"] for e in deltas) == log[-1]["payload"]["result"]


async def test_a_run_is_resumed_so_often_and_no_more(world: World) -> None:
    """After the documented number of resumes a lost engine ends the run with `engine_lost`."""
    call = await world.killed(Programme(Round("Well.", think_s=60)))
    for _ in range(MOST_RESUMES):
        await world.notice(call)
        call = world.invoker.calls[-1]
        engine = world.starts(call)
        await asyncio.sleep(2)
        await world.crash(engine)
    await world.notice(call)
    assert assert_ended_once(world, call.run_id) == "agent_error"
    assert world.log(call.run_id)[-1]["payload"]["code"] == "engine_lost"
    assert world.log_types(call.run_id).count("agent_resumed") == MOST_RESUMES


@pytest.mark.parametrize("idempotent", [True, False])
async def test_a_tool_that_was_cut_off(world: World, idempotent: bool) -> None:
    """A tool that was cut off while it ran is called once more under its id if it may be; if not, its run ends with
    `tool_outcome_unknown`."""
    call = await world.killed(Programme(Round(calls=("c-1",), tool_s=5), Round("Done."), idempotent=idempotent))
    await world.notice(call)
    await world.serve()
    assert_ended_once(world, call.run_id)
    log = world.log(call.run_id)
    executed = [e["payload"]["tool_call_id"] for e in log if e["type"] == "tool_executing"]
    assert executed == ["c-1"] * (2 if idempotent else 1)
    assert log[-1]["payload"].get("code") == (None if idempotent else "tool_outcome_unknown")


async def test_a_long_run_is_handed_over(world: World) -> None:
    """A run that takes longer than an engine's time goes on in another one, with nothing void, and its usage counts all
    of it."""
    world.agents.scripts["assistant"] = Programme(
        *(Round(calls=(f"c-{n}",), tool_s=100) for n in range(12)), Round("So.")
    )
    call = await world.admitted()
    await world.serve()
    assert assert_ended_once(world, call.run_id) == "agent_completed"
    resumed = [e["payload"] for e in world.log(call.run_id) if e["type"] == "agent_resumed"]
    assert resumed[0] == {"attempt": 2, "reason": "handed_over"}
    assert world.log(call.run_id)[-1]["payload"]["usage"]["requests"] == 13
