"""The user's answers to tool calls that need approval."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from dayfly.recovery.actions import EXPIRED
from dayfly.runs.invoker import EngineCall
from dayfly.store.rows import CancelRow, LeaseState, RunRow
from tests.fakes.agents import Programme, Round, asking
from tests.fakes.faulty_table import Call, Fault, Halt, rows_of
from tests.fakes.sockets import JsonObject
from tests.fakes.walk import WAYS, meet, walk
from tests.fakes.world import World, assert_ended_once, assert_history

HOUR_S = 3600.0


async def waiting(world: World, *calls: str, script: Programme | None = None) -> EngineCall:
    """A run that waits for the user's answer on these calls, or on what the script asks."""
    world.agents.scripts["assistant"] = script or asking(*(calls or ("c-1", "c-2")))
    call = await world.admitted()
    (report,) = await world.serve()
    assert report.outcome == "waiting"
    return call


def resumed(world: World, run: str) -> list[JsonObject]:
    """The payloads of the run's `agent_resumed`."""
    return [event["payload"] for event in world.log(run) if event["type"] == "agent_resumed"]


def results(world: World, run: str) -> dict[str, str]:
    """How each tool call of the run ended; each ended once."""
    payloads = [event["payload"] for event in world.log(run) if event["type"] == "tool_completed"]
    found = {payload["tool_call_id"]: payload["status"] for payload in payloads}
    assert len(found) == len(payloads)
    return found


async def test_an_approved_call_is_carried_out(world: World) -> None:
    """The answer is taken, a fresh engine goes on at the next seq, and the tool runs; it is not asked for again."""
    script = asking("c-1")
    call = await waiting(world, script=script)
    reply = await world.approve(call.run_id, "c-1", id="q-a")
    assert reply == {"type": "approved", "id": "q-a", "run_id": call.run_id}
    assert resumed(world, call.run_id) == [{"attempt": 2, "reason": "answered"}]
    assert [(each.attempt, each.first_seq) for each in world.invoker.calls] == [
        (1, 2),
        (2, len(world.log(call.run_id)) + 1),
    ]
    await world.serve()
    assert world.log_types(call.run_id)[3:] == [
        "approval_requested",
        "agent_resumed",
        "tool_executing",
        "tool_completed",
        "agent_thinking",
        "agent_delta",
        "agent_completed",
    ]
    assert script.ran == ["c-1"]
    assert script.asked == [0, 1]
    assert assert_ended_once(world, call.run_id) == "agent_completed"


async def test_a_denied_call_does_not_run(world: World) -> None:
    """It has a result, `denied`, without `tool_executing`; the agent is told the user's reason."""
    script = asking("c-1")
    call = await waiting(world, script=script)
    await world.approve(call.run_id, "c-1", approved=False, reason="Too dear.")
    await world.serve()
    assert results(world, call.run_id) == {"c-1": "denied"}
    assert "tool_executing" not in world.log_types(call.run_id)
    assert script.ran == []
    assert script.turns[1].decisions[0].reason == "Too dear."
    assert assert_ended_once(world, call.run_id) == "agent_completed"
    messages = await assert_history(world, call.thread_id)
    assert [each.content for each in messages if each.kind == "tool"] == ["Denied: Too dear."]


async def test_the_run_goes_on_when_the_last_call_is_answered(world: World) -> None:
    """The first answer is kept while the other call is open; both count, each for its own call."""
    call = await waiting(world)
    await world.approve(call.run_id, "c-2", approved=False)
    row = world.run(call.run_id)
    assert (row.pending, len(row.answers), row.answered) == (("c-1",), 1, 1)
    assert resumed(world, call.run_id) == []
    assert [lease.state for lease in world.leases()] == ["approval"]
    await world.approve(call.run_id, "c-1")
    assert len(resumed(world, call.run_id)) == 1
    await world.serve()
    assert results(world, call.run_id) == {"c-1": "ok", "c-2": "denied"}
    assert assert_ended_once(world, call.run_id) == "agent_completed"


async def test_a_run_may_ask_again_and_again(world: World) -> None:
    """Each question is one of its own attempt; answers to earlier ones are closed."""
    rounds = [Round(calls=(f"c-{n}",), asks=True) for n in range(4)]
    script = Programme(*rounds, Round("Done."))
    call = await waiting(world, script=script)
    for number in range(4):
        for other in range(4):
            if other != number:
                assert (await world.approve(call.run_id, f"c-{other}"))["code"] == "approval_closed"
        assert (await world.approve(call.run_id, f"c-{number}"))["type"] == "approved"
        await world.serve()
    assert script.ran == ["c-0", "c-1", "c-2", "c-3"]
    assert [payload["attempt"] for payload in resumed(world, call.run_id)] == [2, 3, 4, 5]
    assert assert_ended_once(world, call.run_id) == "agent_completed"
    assert world.run(call.run_id).resumes == 0, "to answer costs no resume"


async def test_two_devices_answer_two_calls_at_once(world: World) -> None:
    """However both interleave, both answers count, and one attempt is opened."""
    for delay in range(10):
        world = World()
        call = await waiting(world)

        async def answer(world: World, run: str, steps: int) -> JsonObject:
            for _ in range(steps):
                await asyncio.sleep(0)
            return await world.approve(run, "c-2", approved=False, connection="a2")

        replies = await asyncio.gather(world.approve(call.run_id, "c-1"), answer(world, call.run_id, delay))
        assert [reply["type"] for reply in replies] == ["approved", "approved"]
        assert len(resumed(world, call.run_id)) == 1
        await world.serve()
        assert results(world, call.run_id) == {"c-1": "ok", "c-2": "denied"}


@pytest.mark.parametrize("calls", [("c-1",), ("c-1", "c-2")])
async def test_two_devices_answer_one_call_at_once(calls: tuple[str, ...]) -> None:
    """Of a yes and a no to the same call one counts; the other device is told that the call is closed."""
    for delay in range(10):
        world = World()
        call = await waiting(world, *calls)

        async def deny(world: World, run: str, steps: int) -> JsonObject:
            for _ in range(steps):
                await asyncio.sleep(0)
            return await world.approve(run, "c-1", approved=False, connection="a2")

        yes, no = await asyncio.gather(world.approve(call.run_id, "c-1"), deny(world, call.run_id, delay))
        assert sorted(reply.get("code", "approved") for reply in (yes, no)) == ["approval_closed", "approved"]
        if len(calls) > 1:
            await world.approve(call.run_id, "c-2")
        await world.serve()
        assert results(world, call.run_id)["c-1"] == ("ok" if yes["type"] == "approved" else "denied")
        assert len(resumed(world, call.run_id)) == 1


async def test_answers_that_find_nothing_open(world: World) -> None:
    """Twice, to a call that is not there, to a run that never asked, that goes on, or that has ended."""
    call = await waiting(world)

    async def code(run: str, name: str) -> str:
        return str((await world.approve(run, name)).get("code"))

    assert await code(call.run_id, "c-3") == "approval_closed"
    await world.approve(call.run_id, "c-1")
    assert await code(call.run_id, "c-1") == "approval_closed"
    await world.approve(call.run_id, "c-2")
    assert await code(call.run_id, "c-2") == "approval_closed"
    await world.serve()
    assert await code(call.run_id, "c-2") == "approval_closed"
    other = await world.admitted(agent="echo")
    assert await code(other.run_id, "c-1") == "approval_closed"
    assert len(resumed(world, call.run_id)) == 1
    assert assert_ended_once(world, call.run_id) == "agent_completed"


async def test_an_answer_on_both_sides_of_its_time(world: World) -> None:
    """A moment before `expires_at` it counts; at it, the call is closed, whether or not a sweep has come."""
    call = await waiting(world)
    await asyncio.sleep(HOUR_S - 0.001)
    assert (await world.approve(call.run_id, "c-1"))["type"] == "approved"
    await asyncio.sleep(0.001)
    assert (await world.approve(call.run_id, "c-2"))["code"] == "approval_closed"
    assert resumed(world, call.run_id) == []


async def test_no_answer_in_time_counts_as_no(world: World) -> None:
    """The sweep has the run go on with what was answered, and the rest denied."""
    call = await waiting(world)
    await world.approve(call.run_id, "c-1")
    await asyncio.sleep(HOUR_S + 0.001)
    await world.sweep()
    assert resumed(world, call.run_id) == [{"attempt": 2, "reason": "expired"}]
    await world.serve()
    assert results(world, call.run_id) == {"c-1": "ok", "c-2": "denied"}
    messages = await assert_history(world, call.thread_id)
    assert [each.content for each in messages if each.kind == "tool"] == ["c-1 is done", f"Denied: {EXPIRED}"]
    assert assert_ended_once(world, call.run_id) == "agent_completed"


async def test_the_last_answer_and_the_expiry_at_once(world: World) -> None:
    """One of them opens the next attempt; the call has one result, which is what the user was told."""
    for delay in range(12):
        world = World()
        call = await waiting(world, "c-1")
        world.table.plan = lambda one: 0.002 if one.method == "get" else None
        await asyncio.sleep(HOUR_S - 0.003)

        async def sweep(world: World, steps: int) -> None:
            await asyncio.sleep(0.0005 * steps)
            await world.sweep()

        reply, _ = await asyncio.gather(world.approve(call.run_id, "c-1"), sweep(world, delay))
        world.table.plan = lambda one: None
        await world.recover()
        if resumed(world, call.run_id) == []:
            await world.sweep()
            await world.serve()
        assert len(resumed(world, call.run_id)) == 1
        assert results(world, call.run_id) == {"c-1": "ok" if reply["type"] == "approved" else "denied"}
        assert assert_ended_once(world, call.run_id) == "agent_completed"


async def test_a_cancel_while_a_run_waits_ends_it_at_once(world: World) -> None:
    """No engine is needed for it; the answer that comes after finds nothing open, and the next run starts."""
    call = await waiting(world)
    follower = await world.queued(call, agent="echo")
    await world.approve(call.run_id, "c-1")
    assert (await world.ask("cancel", run_id=call.run_id))["type"] == "cancelling"
    assert assert_ended_once(world, call.run_id) == "agent_cancelled"
    assert (await world.approve(call.run_id, "c-2"))["code"] == "approval_closed"
    assert world.rows(CancelRow) == []
    await world.serve()
    assert assert_ended_once(world, follower) == "agent_completed"
    await assert_history(world, call.thread_id)


async def test_a_mark_is_honoured_by_the_expiry(world: World) -> None:
    """Where the router died behind the mark, the run is cancelled when its question expires, and does not go on."""
    call = await waiting(world)
    mark = CancelRow(user_id=call.user_id, thread_id=call.thread_id, run_id=call.run_id, at=0, expires=2**40)
    world.memory._rows[mark.key] = mark
    await asyncio.sleep(HOUR_S + 0.001)
    await world.sweep()
    assert assert_ended_once(world, call.run_id) == "agent_cancelled"
    assert resumed(world, call.run_id) == []


async def test_a_cancel_and_the_last_answer_at_once() -> None:
    """Whenever during the answer the run is cancelled, it ends once, cancelled: no engine was faster."""

    async def check(world: World, call: EngineCall) -> None:
        await world.recover()
        assert assert_ended_once(world, call.run_id) == "agent_cancelled"
        assert world.rows(CancelRow) == []
        await assert_history(world, call.thread_id)

    calls = await meet(
        begin=lambda world: waiting(world, "c-1"),
        one=lambda world, call: world.approve(call.run_id, "c-1"),
        other=lambda world, call: world.ask("cancel", run_id=call.run_id, connection="a2"),
        check=check,
    )
    assert calls >= 5


async def test_an_answer_to_a_run_that_ends_meanwhile_is_not_taken(world: World) -> None:
    """Where the lease moves between the router's look and its write, the call is closed, and no answer is kept."""
    call = await waiting(world)
    (lease,) = world.leases()

    def plan(one: Call) -> None:
        if any(row.answered == 1 for row in rows_of(one, RunRow)):
            world.memory._rows[lease.key] = replace(lease, state=LeaseState.ENDED)

    world.table.plan = plan
    assert (await world.approve(call.run_id, "c-1"))["code"] == "approval_closed"
    assert world.run(call.run_id).answers == ()


async def test_an_answer_that_was_taken_is_said_to_be(world: World) -> None:
    """Where its own answer is lost, and the other device's opens the next attempt before it is repeated, the user is
    not told that the call was closed: the answer counts."""
    call = await waiting(world)
    other: list[asyncio.Task[Any]] = []

    def plan(one: Call) -> Fault | None:
        if any(row.answered == 1 for row in rows_of(one, RunRow)) and not other:
            other.append(asyncio.create_task(world.approve(call.run_id, "c-2", connection="a2")))
            return Fault.ANSWER_LOST
        return None

    world.table.plan = plan
    assert (await world.approve(call.run_id, "c-1"))["type"] == "approved"
    assert (await other[0])["type"] == "approved"
    await world.serve()
    assert results(world, call.run_id) == {"c-1": "ok", "c-2": "ok"}


@pytest.mark.parametrize(
    ("name", "approved", "reply"),
    [("c-1", True, "approved"), ("c-1", False, "approval_closed"), ("c-2", True, "approved")],
)
async def test_what_another_device_has_answered_meanwhile(
    world: World, *, name: str, approved: bool, reply: str
) -> None:
    """Where it was the same, this answer was taken; where it was the other to this call, the call is closed; where it
    was one to another call, this answer is taken behind it, and both count."""
    call = await waiting(world)
    faster: list[asyncio.Task[JsonObject]] = []

    def plan(one: Call) -> float | None:
        if faster or not any(row.answered == 1 for row in rows_of(one, RunRow)):
            return None
        faster.append(asyncio.create_task(world.approve(call.run_id, name, approved=approved, connection="a2")))
        return 0.1

    world.table.plan = plan
    answer = await world.approve(call.run_id, "c-1")
    assert answer.get("code", answer["type"]) == reply
    assert (await faster[0])["type"] == "approved"
    if name == "c-1":
        assert (world.run(call.run_id).pending, world.run(call.run_id).answered) == (("c-2",), 1)
        await world.approve(call.run_id, "c-2")
    await world.serve()
    assert results(world, call.run_id) == {"c-1": "ok" if approved else "denied", "c-2": "ok"}
    assert len(resumed(world, call.run_id)) == 1


@pytest.mark.parametrize("answered", [(), ("c-1",)])
@pytest.mark.parametrize("way", WAYS)
async def test_any_one_call_may_fail(way: Fault | Halt, answered: tuple[str, ...]) -> None:
    """Whichever one call of the table fails, or wherever its router dies, with the first answer or the last: sent again
    it is taken or was taken, one attempt is opened, and each call is carried out once."""
    name = "c-2" if answered else "c-1"

    async def begin(world: World) -> tuple[EngineCall, Programme]:
        script = asking("c-1", "c-2")
        call = await waiting(world, script=script)
        for first in answered:
            await world.approve(call.run_id, first)
        return call, script

    async def act(world: World, scene: tuple[EngineCall, Programme]) -> None:
        reply = await world.approve(scene[0].run_id, name)
        assert reply["type"] == "approved" or reply["code"] == "unavailable"

    async def check(world: World, scene: tuple[EngineCall, Programme]) -> None:
        call, script = scene
        again = await world.approve(call.run_id, name)
        assert again["type"] == "approved" or again["code"] == "approval_closed"
        if not answered:
            assert resumed(world, call.run_id) == []
            assert (await world.approve(call.run_id, "c-2"))["type"] == "approved"
        await world.recover()
        assert [payload["reason"] for payload in resumed(world, call.run_id)] == ["answered"]
        assert results(world, call.run_id) == {"c-1": "ok", "c-2": "ok"}
        assert script.ran == ["c-1", "c-2"]
        assert assert_ended_once(world, call.run_id) == "agent_completed"
        await assert_history(world, call.thread_id)

    assert await walk(way, begin=begin, act=act, check=check) >= 5


@pytest.mark.parametrize("way", WAYS)
async def test_any_one_call_may_fail_at_the_expiry(way: Fault | Halt) -> None:
    """Whichever one call of the table fails in the sweep that finds the question expired, this one or the next has the
    run go on, once."""

    async def begin(world: World) -> EngineCall:
        call = await waiting(world)
        await world.approve(call.run_id, "c-1")
        await asyncio.sleep(HOUR_S + 0.001)
        return call

    async def act(world: World, call: EngineCall) -> None:
        try:
            await world.sweep()
        except ExceptionGroup:
            assert resumed(world, call.run_id) == []

    async def check(world: World, call: EngineCall) -> None:
        await world.sweep()
        await world.recover()
        assert [payload["reason"] for payload in resumed(world, call.run_id)] == ["expired"]
        assert results(world, call.run_id) == {"c-1": "ok", "c-2": "denied"}
        assert assert_ended_once(world, call.run_id) == "agent_completed"

    assert await walk(way, begin=begin, act=act, check=check) >= 12
