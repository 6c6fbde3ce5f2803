"""What docs/protocol.md claims about approvals, held against router, engines and recovery."""

import asyncio

import pytest

from dayfly.engine.attempt import MOST_APPROVALS
from dayfly.runs.invoker import EngineCall
from tests.fakes.agents import Programme, Round, asking
from tests.fakes.sockets import JsonObject
from tests.fakes.world import World, assert_ended_once
from tests.unit.protocol_docs.demo import install_demo, says


async def asked(world: World, *calls: str) -> EngineCall:
    """A run that waits for answers on these calls."""
    world.agents.scripts["assistant"] = asking(*calls)
    call = await world.admitted()
    await world.serve()
    return call


def of_type(world: World, run: str, kind: str) -> list[JsonObject]:
    """The payloads of a run's events of one type."""
    return [event["payload"] for event in world.log(run) if event["type"] == kind]


def after_resume(world: World, run: str) -> list[tuple[str, str, str]]:
    """What happened to tool calls since the run went on: call, event, status."""
    log = world.log(run)
    resumed = next(event["seq"] for event in log if event["type"] == "agent_resumed")
    return [
        (event["payload"]["tool_call_id"], event["type"], event["payload"].get("status", ""))
        for event in log
        if event["seq"] > resumed and "tool_call_id" in event["payload"]
    ]


async def test_several_calls_wait_at_once(world: World) -> None:
    """Each call that waits has one event, and all have one time; the run is `waiting`, and silent for as long as nobody
    answers."""
    call = await asked(world, "c-1", "c-2")
    requests = of_type(world, call.run_id, "approval_requested")
    assert [request["tool_call_id"] for request in requests] == ["c-1", "c-2"]
    assert len({request["expires_at"] for request in requests}) == 1
    attached = await world.ask("attach", thread_id=call.thread_id, connection="b1")
    assert attached["runs"] == [{"run_id": call.run_id, "status": "waiting", "seq": 5}]
    before = len(world.sockets.received("b1"))
    for _ in range(10):
        await asyncio.sleep(60)
        await world.sweep()
    assert len(world.sockets.received("b1")) == before


async def test_calls_that_need_no_approval_have_completed_by_then(world: World) -> None:
    """Of one response's calls the demo's agent carries out what it may, before it asks about the other."""
    install_demo(world)
    run = await says(world, "What is 2 + 2? Forget the note about X17")
    assert world.log_types(run)[3:] == ["tool_executing", "tool_completed", "approval_requested"]


async def test_the_last_answer_lets_the_run_go_on(world: World) -> None:
    """An answer alone shows nothing to others; with the last one the allowed call is executed, the denied one completes
    as `denied` and nothing else, and the agent is told the reason."""
    call = await asked(world, "c-1", "c-2")
    await world.ask("attach", thread_id=call.thread_id, connection="b1")
    before = len(world.sockets.received("a1"))
    reply = await world.approve(call.run_id, "c-2", connection="b1")
    assert reply == {"type": "approved", "id": reply["id"], "run_id": call.run_id}
    assert len(world.sockets.received("a1")) == before
    await world.approve(call.run_id, "c-1", approved=False, reason="Not now.")
    assert of_type(world, call.run_id, "agent_resumed") == [{"attempt": 2, "reason": "answered"}]
    assert [event["type"] for event in world.sockets.events("b1")][-1] == "agent_resumed"
    await world.serve()
    assert after_resume(world, call.run_id) == [
        ("c-1", "tool_completed", "denied"),
        ("c-2", "tool_executing", ""),
        ("c-2", "tool_completed", "ok"),
    ]
    assert "Not now." in of_type(world, call.run_id, "tool_completed")[0]["result"]
    assert assert_ended_once(world, call.run_id) == "agent_completed"


async def test_the_demo_is_told_a_denial(world: World) -> None:
    """The demo's agent goes on after a denial, and says why it did not do it."""
    install_demo(world)
    run = await says(world, "Forget the note about X17")
    (request,) = of_type(world, run, "approval_requested")
    await world.approve(run, request["tool_call_id"], approved=False, reason="I need it.")
    await world.serve()
    assert [status for _, _, status in after_resume(world, run)] == ["denied"]
    assert "I need it." in of_type(world, run, "agent_completed")[0]["result"]


@pytest.mark.parametrize("again", [True, False])
async def test_an_answer_counts_once(world: World, again: bool) -> None:
    """A call that was answered is closed, for the same answer again and for another one; other calls stay open."""
    call = await asked(world, "c-1", "c-2")
    await world.approve(call.run_id, "c-1")
    assert (await world.approve(call.run_id, "c-1", approved=again))["code"] == "approval_closed"
    assert (await world.approve(call.run_id, "c-2"))["type"] == "approved"
    assert (await world.approve(call.run_id, "c-2", approved=again))["code"] == "approval_closed"
    await world.serve()
    assert (await world.approve(call.run_id, "c-2", approved=again))["code"] == "approval_closed"
    assert [status for _, _, status in after_resume(world, call.run_id) if status] == ["ok", "ok"]


async def test_calls_expire(world: World) -> None:
    """From `expires_at` on a call is closed; within about a minute the run goes on, with what was answered carried out
    and the rest denied."""
    call = await asked(world, "c-1", "c-2")
    await world.approve(call.run_id, "c-1")
    await asyncio.sleep(world.limits.approval_ms / 1000)
    assert (await world.approve(call.run_id, "c-2"))["code"] == "approval_closed"
    await asyncio.sleep(60)
    await world.sweep()
    assert of_type(world, call.run_id, "agent_resumed") == [{"attempt": 2, "reason": "expired"}]
    await world.serve()
    assert after_resume(world, call.run_id) == [
        ("c-1", "tool_executing", ""),
        ("c-1", "tool_completed", "ok"),
        ("c-2", "tool_completed", "denied"),
    ]


@pytest.mark.parametrize("way", ["cancel", "interrupt", "forget"])
async def test_the_end_closes_approvals(world: World, way: str) -> None:
    """Cancelling, interrupting and forgetting end a waiting run at once, and its calls are closed."""
    call = await asked(world, "c-1")
    match way:
        case "cancel":
            await world.ask("cancel", run_id=call.run_id)
        case "interrupt":
            await world.queued(call, if_busy="interrupt")
        case _:
            await world.ask("forget", thread_id=call.thread_id)
    assert assert_ended_once(world, call.run_id) == "agent_cancelled"
    code = (await world.approve(call.run_id, "c-1"))["code"]
    assert code == ("run_not_found" if way == "forget" else "approval_closed")


async def test_nobody_is_asked_twice(world: World) -> None:
    """An engine that is lost while it carries out an answer is followed by one that has that answer."""
    words = Programme(Round(calls=("c-1",), tool_s=5, asks=True), Round("Done."), idempotent=True)
    world.agents.scripts["assistant"] = words
    call = await world.admitted()
    await world.serve()
    await world.approve(call.run_id, "c-1")
    engine = world.starts(world.invoker.calls[-1], invocation="i-2")
    await asyncio.sleep(2)
    await world.crash(engine)
    await world.notice(world.invoker.calls[-1], invocation="i-2")
    await world.engine(world.invoker.calls[-1], invocation="i-3")
    assert assert_ended_once(world, call.run_id) == "agent_completed"
    assert len(of_type(world, call.run_id, "approval_requested")) == 1
    assert [e["reason"] for e in of_type(world, call.run_id, "agent_resumed")] == ["answered", "engine_lost"]


@pytest.mark.parametrize(("count", "ends"), [(MOST_APPROVALS, []), (MOST_APPROVALS + 1, ["agent_failed"])])
async def test_so_many_calls_wait_and_no_more(world: World, count: int, ends: list[str]) -> None:
    """One response may bring as many calls as documented; with one more the run fails."""
    call = await asked(world, *(f"c-{number}" for number in range(count)))
    assert [payload["code"] for payload in of_type(world, call.run_id, "agent_error")] == ends


async def test_a_thread_that_waits_for_its_user_is_busy(world: World) -> None:
    """A message behind a waiting run is queued, and starts when the waiting one has ended."""
    call = await asked(world, "c-1")
    behind = await world.queued(call, agent="echo")
    await world.approve(call.run_id, "c-1")
    await world.serve()
    assert assert_ended_once(world, behind) == "agent_completed"
