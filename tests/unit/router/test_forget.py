"""Forgetting a thread."""

import asyncio
from typing import Any

import pytest

from dayfly.recovery.deletion import QUIET_MS
from dayfly.runs.invoker import EngineCall
from dayfly.store.rows import CancelRow, ForgetRow, QuotaRow, RunRow, ThreadRow
from tests.fakes.agents import Programme, Round, asking, silent
from tests.fakes.faulty_table import Fault, Halt, ends_a_run, rows_of
from tests.fakes.sockets import JsonObject
from tests.fakes.walk import WAYS, meet, walk
from tests.fakes.world import World, assert_ended_once


async def crowded(world: World, state: str) -> tuple[EngineCall, list[str], asyncio.Task[Any] | None]:
    """A thread with two runs that wait behind one that is not begun, at work, waiting for its user, or lost."""
    world.agents.scripts["assistant"] = silent if state in {"at work", "lost"} else asking("c-1")
    call = await world.admitted()
    engine = None
    if state != "not begun":
        engine = world.starts(call)
        await asyncio.sleep(2)
    queue = [await world.queued(call) for _ in range(2)]
    if state == "lost" and engine is not None:
        await world.crash(engine)
    world.agents.scripts["assistant"] = Programme(Round("Never."))
    return call, queue, engine


@pytest.mark.parametrize("state", ["not begun", "at work", "waiting", "lost"])
async def test_all_runs_of_a_forgotten_thread_end(world: World, state: str) -> None:
    """Wherever the active one stands: it is cancelled, those behind it are, and none of them starts; the quota is given
    back. A lost one ends when its lease is due."""
    call, queue, engine = await crowded(world, state)
    reply = await world.ask("forget", id="q-f", thread_id=call.thread_id)
    assert reply == {"type": "forgotten", "id": "q-f", "thread_id": call.thread_id}
    if state == "lost":
        await asyncio.sleep(20)
        await world.sweep()
    if engine is not None:
        await asyncio.gather(engine, return_exceptions=True)
    for run in (call.run_id, *queue):
        assert assert_ended_once(world, run) == "agent_cancelled"
        assert world.log_types(run).count("agent_started") == (run == call.run_id and state != "not begun")
    thread = world.thread(call.thread_id)
    assert (thread.state, thread.active_run, thread.queue) == ("forgotten", None, ())
    assert world.rows(QuotaRow)[0].active == ()
    assert world.rows(CancelRow) == []
    assert world.invoker.calls == [call]
    assert world.leases() == []


def refused(call: EngineCall) -> list[tuple[JsonObject, str]]:
    """What a client may ask of a thread and its runs, and how each is answered where there is none."""
    thread, run = {"thread_id": call.thread_id}, {"run_id": call.run_id}
    return [
        ({"action": "run", "text": "Hi", **thread}, "thread_not_found"),
        ({"action": "attach", **thread}, "thread_not_found"),
        ({"action": "attach", **thread, "after": {call.run_id: 1}}, "thread_not_found"),
        ({"action": "history", **thread}, "thread_not_found"),
        ({"action": "rename", **thread, "title": "x"}, "thread_not_found"),
        ({"action": "cancel", **run}, "run_not_found"),
        ({"action": "approve", **run, "tool_call_id": "c-1", "approved": True}, "run_not_found"),
    ]


async def test_a_forgotten_thread_is_not_there_for_anybody(world: World) -> None:
    """From the reply on everything refuses it, as it refuses what never was; other threads go on."""
    await world.connect("a2")
    other = await world.admitted(agent="echo")
    call = await world.admitted()
    await world.serve()
    await world.ask("forget", thread_id=call.thread_id)
    for number, (frame, code) in enumerate(refused(call)):
        assert (await world.send({"id": f"m-{number}", **frame}))["code"] == code, frame
    assert [item["thread_id"] for item in (await world.ask("threads"))["items"]] == [other.thread_id]
    assert world.sockets.received("a2", "thread_changed")[-1]["thread"]["state"] == "forgotten"
    assert (await world.ask("history", thread_id=other.thread_id))["messages"]
    assert len(world.rows(RunRow)) == 2


async def test_the_request_that_opened_a_forgotten_thread_finds_it_gone(world: World) -> None:
    """Sent again within 24 hours, it neither runs anew nor shows what was."""
    frame = {"action": "run", "id": "m-1", "text": "Hi"}
    thread = (await world.send(frame))["thread_id"]
    await world.serve()
    await world.ask("forget", thread_id=thread)
    assert (await world.send(frame))["code"] == "thread_not_found"
    assert len(world.rows(RunRow)) == 1


async def test_to_forget_again_repeats_what_may_be_left_to_do(world: World) -> None:
    """It is answered as the first time, and changes nothing of when the thread will be deleted."""
    call = await world.admitted()
    await world.ask("forget", thread_id=call.thread_id)
    deletion = world.rows(ForgetRow)
    await asyncio.sleep(30)
    assert (await world.ask("forget", thread_id=call.thread_id))["type"] == "forgotten"
    assert world.rows(ForgetRow) == deletion
    assert assert_ended_once(world, call.run_id) == "agent_cancelled"
    assert (await world.ask("forget", thread_id="t-none"))["code"] == "thread_not_found"


async def test_forgetting_is_one_transaction(world: World) -> None:
    """The thread's state, what drives its deletion and the marks of all its runs are written together."""
    call = await world.admitted()
    queue = [await world.queued(call) for _ in range(20)]
    world.table.calls.clear()
    await world.ask("forget", thread_id=call.thread_id)
    (write,) = [one for one in world.table.calls if rows_of(one, ForgetRow)]
    assert [row.state for row in rows_of(write, ThreadRow)] == ["forgotten"]
    assert {row.run_id for row in rows_of(write, CancelRow)} == {call.run_id, *queue}


async def test_a_run_that_ends_while_its_thread_is_forgotten() -> None:
    """Whenever during a run its thread is forgotten, nothing starts that comes after, and each run ends once."""

    async def begin(world: World) -> tuple[EngineCall, list[str]]:
        call = await world.admitted(agent="echo")
        return call, [await world.queued(call) for _ in range(2)]

    ends = set[str]()

    async def check(world: World, scene: tuple[EngineCall, list[str]]) -> None:
        call, queue = scene
        await world.serve()
        thread = world.thread(call.thread_id)
        assert (thread.state, thread.active_run, thread.queue) == ("forgotten", None, ())
        ends.add(assert_ended_once(world, call.run_id))
        for run in queue:
            assert assert_ended_once(world, run) == "agent_cancelled"
            assert "agent_started" not in world.log_types(run)
        assert world.rows(CancelRow) == []

    calls = await meet(
        begin=begin,
        one=lambda world, scene: world.engine(scene[0]),
        other=lambda world, scene: world.ask("forget", thread_id=scene[0].thread_id, connection="a2"),
        check=check,
    )
    assert calls >= 10
    assert ends == {"agent_completed", "agent_cancelled"}


async def test_a_message_that_comes_in_while_its_thread_is_forgotten() -> None:
    """Whenever during its admission the thread is forgotten, it is refused, or admitted and ended; it never runs."""
    replies: list[JsonObject] = []

    async def come(world: World, call: EngineCall) -> None:
        frame = {"action": "run", "id": "m-1", "text": "Hi", "thread_id": call.thread_id}
        replies.append(await world.send(frame, connection="a2"))

    async def check(world: World, call: EngineCall) -> None:
        await world.serve()
        reply = replies[-1]
        if reply["type"] == "accepted":
            assert assert_ended_once(world, reply["run_id"], connection="a2") == "agent_cancelled"
        else:
            assert reply["code"] == "thread_not_found"
        assert world.thread(call.thread_id).queue == ()
        assert world.rows(QuotaRow)[0].active == ()

    await meet(
        begin=lambda world: world.admitted(),
        one=come,
        other=lambda world, call: world.ask("forget", thread_id=call.thread_id),
        check=check,
    )
    assert {reply["type"] for reply in replies} == {"accepted", "error"}


@pytest.mark.parametrize("state", ["not begun", "waiting"])
@pytest.mark.parametrize("way", WAYS)
async def test_any_one_call_may_fail_in_forgetting(way: Fault | Halt, state: str) -> None:
    """Whichever one call of the table fails, or wherever its router dies: where the thread was forgotten, the sweep
    sees to the rest; else nothing has happened, and its runs go on. No run of it starts that had not."""

    async def begin(world: World) -> tuple[EngineCall, list[str]]:
        call, queue, _ = await crowded(world, state)
        return call, queue

    async def act(world: World, scene: tuple[EngineCall, list[str]]) -> None:
        reply = await world.ask("forget", thread_id=scene[0].thread_id)
        assert reply["type"] == "forgotten" or reply["code"] == "unavailable"

    async def check(world: World, scene: tuple[EngineCall, list[str]]) -> None:
        call, queue = scene
        if world.thread(call.thread_id).state == "live":
            assert world.rows(ForgetRow) == []
            assert (await world.ask("forget", thread_id=call.thread_id))["type"] == "forgotten"
        else:
            assert len(world.rows(ForgetRow)) == 1
            for _ in range(3):
                await asyncio.sleep(60.001)
                await world.sweep()
        for run in (call.run_id, *queue):
            assert assert_ended_once(world, run) == "agent_cancelled"
            assert world.log_types(run).count("agent_started") == (run == call.run_id and state == "waiting")
        assert world.invoker.calls == [call]
        assert world.rows(CancelRow) == []
        assert world.leases() == []
        (deletion,) = world.rows(ForgetRow)
        assert deletion.due <= world.clock.now_ms() + QUIET_MS

    assert await walk(way, begin=begin, act=act, check=check) >= 20


async def test_an_end_that_nobody_posted_is_posted_of_a_forgotten_thread_too(world: World) -> None:
    """Whoever watched it is sent the last event of each of its runs."""
    call = await world.admitted()
    first = await world.queued(call)

    assert await world.dies(world.ask("forget", thread_id=call.thread_id), ends_a_run, halt=Halt.AFTER)
    assert "agent_cancelled" not in world.sockets.types("a1")
    for _ in range(2):
        await asyncio.sleep(60.001)
        await world.sweep()
    for run in (call.run_id, first):
        assert assert_ended_once(world, run) == "agent_cancelled"


async def test_a_stuck_device_holds_back_no_forgetting(world: World) -> None:
    """With a full queue, an active run that none has begun and a socket that takes nothing, the reply and all ends are
    there at once for everybody else."""
    call = await world.admitted()
    queue = [await world.queued(call) for _ in range(20)]
    await world.ask("attach", thread_id=call.thread_id, connection="stuck")
    for connection in ("a1", "stuck"):
        await world.connect(connection)
    world.sockets.delays["stuck"] = 3600
    began = asyncio.get_running_loop().time()
    await world.ask("forget", thread_id=call.thread_id)
    frames = dict(zip(world.sockets.types("a1"), world.sockets.times["a1"], strict=True))
    for kind in ("forgotten", "thread_changed", "agent_cancelled"):
        assert frames[kind] - began < 0.1
    for run in (call.run_id, *queue):
        assert assert_ended_once(world, run) == "agent_cancelled"
