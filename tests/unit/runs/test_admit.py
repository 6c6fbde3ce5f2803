"""The transaction that lets a run in: active where the thread is idle, else in the queue or before it."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from dayfly.runs import quotas
from dayfly.runs.invoker import EngineCall
from dayfly.store.rows import QUEUE_LENGTH, AttachedRow, CancelRow, LogRow, QuotaRow, RequestRow, RunRow, ThreadRow
from dayfly.store.table import Put
from tests.fakes.agents import Programme, Round, asking, silent
from tests.fakes.faulty_table import Call, Fault, Halt, rows_of
from tests.fakes.sockets import JsonObject
from tests.fakes.walk import WAYS, meet, walk
from tests.fakes.world import World, assert_ended_once, assert_history


def message(call: EngineCall, request: str = "m-9", **fields: Any) -> JsonObject:
    """A `run` for the same thread."""
    return {"action": "run", "id": request, "text": "And this?", "thread_id": call.thread_id, **fields}


def admission(call: Call) -> bool:
    """Whether this is the transaction that lets a run in."""
    return bool(rows_of(call, RequestRow))


def asked(messages: list[Any]) -> list[str]:
    """What the user asked, in the order in which the history has it."""
    return [each.text for each in messages if each.kind == "user"]


async def test_a_message_to_a_busy_thread_is_queued(world: World) -> None:
    """It is accepted with its position, its sender sees its message as seq 1, and no engine is asked for."""
    call = await world.admitted()
    reply = await world.send(message(call))
    assert reply == {
        "type": "accepted",
        "id": "m-9",
        "run_id": reply["run_id"],
        "thread_id": call.thread_id,
        "status": "queued",
        "position": 1,
        "duplicate": False,
    }
    assert world.invoker.calls == [call]
    event = world.sockets.events("a1")[-1]
    assert (event["run_id"], event["seq"], event["payload"]["request_id"]) == (reply["run_id"], 1, "m-9")


async def test_a_queued_run_is_all_there_but_its_lease(world: World) -> None:
    """Run, thread, log, quota, request and attachment are one write; a lease it gets when its turn comes."""
    call = await world.admitted()
    world.table.calls.clear()
    run = (await world.send(message(call)))["run_id"]
    (write,) = [one for one in world.table.calls if one.method == "write"]
    kinds = {type(action.row) for action in write.actions if isinstance(action, Put)}
    assert kinds == {LogRow, RequestRow, ThreadRow, RunRow, QuotaRow, AttachedRow}
    assert [lease.run_id for lease in world.leases()] == [call.run_id]
    assert world.rows(QuotaRow)[0].active == (call.run_id, run)
    assert world.run(run).turn == 2


async def test_first_in_first_out(world: World) -> None:
    """Each message is answered with the next position, and they run one after the other in that order."""
    call = await world.admitted("0", agent="echo")
    for number in range(1, 4):
        reply = await world.ask("run", text=str(number), thread_id=call.thread_id, agent="echo")
        assert reply["position"] == number
    reports = await world.serve()
    assert [report.outcome for report in reports] == ["completed"] * 4
    messages = await assert_history(world, call.thread_id)
    assert asked(messages) == ["0", "1", "2", "3"]
    said = [each.text for each in messages if each.kind == "assistant"]
    assert said == ["0 (0)", "1 (2)", "2 (4)", "3 (6)"], "each was given what came before it"


async def test_the_length_of_a_queue_on_both_sides(world: World) -> None:
    """Twenty messages may wait, the next is refused, retryable, whether it queues or interrupts, and its id is not
    consumed; when one has left, it is taken."""
    world.agents.scripts["assistant"] = silent
    call = await world.admitted()
    engine = world.starts(call)
    await asyncio.sleep(1)
    runs = [await world.queued(call) for _ in range(QUEUE_LENGTH)]
    assert QUEUE_LENGTH == 20
    for if_busy in ("enqueue", "interrupt"):
        refused = await world.send(message(call, f"q-{if_busy}", if_busy=if_busy))
        assert (refused["code"], refused["retryable"]) == ("queue_full", True)
    await world.ask("cancel", run_id=runs[12])
    reply = await world.send(message(call, "q-enqueue"))
    assert (reply["status"], reply["position"]) == ("queued", QUEUE_LENGTH)
    assert (await world.send(message(call, "q-late")))["code"] == "queue_full"
    await world.crash(engine)


async def test_one_users_full_queue_is_not_anothers(world: World) -> None:
    """Another thread of the user has room."""
    call, other = await world.admitted(), await world.admitted()
    for _ in range(QUEUE_LENGTH):
        await world.queued(call)
    assert await world.queued(other)


async def test_runs_that_wait_count_for_the_quota(world: World) -> None:
    """Active and queued ones together, on both sides of the most."""
    calls = [await world.admitted() for _ in range(2)]
    for number in range(quotas.ACTIVE_RUNS - 2):
        await world.queued(calls[number % 2])
    refused = await world.send(message(calls[0]))
    assert (refused["code"], refused["retryable"]) == ("quota_exceeded", True)
    await world.engine(calls[0])
    assert (await world.send(message(calls[0])))["status"] == "queued"


async def test_messages_at_once_each_get_a_place(world: World) -> None:
    """Of many at once, none is lost, none is there twice, and positions and ids follow the queue."""
    call = await world.admitted()
    replies = await asyncio.gather(*(world.send(message(call, f"q-{n}"), connection=f"c{n}") for n in range(100, 110)))
    queue = world.thread(call.thread_id).queue
    assert {reply["run_id"]: reply["position"] for reply in replies} == {run: n for n, run in enumerate(queue, start=1)}
    assert sorted(queue) == list(queue)
    assert [world.run(run).turn for run in queue] == list(range(2, 12))


async def test_an_interrupt_goes_before_the_rest_and_behind_earlier_ones(world: World) -> None:
    """Its position says so; the run under way is asked to end."""
    call = await world.admitted()
    world.agents.scripts["assistant"] = silent
    engine = world.starts(call)
    await asyncio.sleep(1)
    waiting = await world.queued(call, "later")
    first = await world.send(message(call, "q-i", if_busy="interrupt"))
    second = await world.send(message(call, "q-j", if_busy="interrupt"))
    assert (first["position"], second["position"]) == (1, 2)
    assert world.thread(call.thread_id).queue == (first["run_id"], second["run_id"], waiting)
    assert [mark.run_id for mark in world.rows(CancelRow)] == [call.run_id]
    asked_at = world.clock.monotonic()
    assert (await engine).outcome == "cancelled"
    assert world.clock.monotonic() - asked_at <= 0.5
    thread = world.thread(call.thread_id)
    assert (thread.active_run, thread.queue, thread.interrupts) == (first["run_id"], (second["run_id"], waiting), 1)
    world.agents.scripts["assistant"] = Programme(Round("Yes."))
    await world.recover()
    ends = [assert_ended_once(world, run) for run in (call.run_id, first["run_id"], second["run_id"], waiting)]
    assert ends == ["agent_cancelled", "agent_completed", "agent_completed", "agent_completed"]
    assert asked(await assert_history(world, call.thread_id))[-1] == "later"


@pytest.mark.parametrize("state", ["not begun", "waiting"])
async def test_an_interrupt_ends_an_idle_run_at_once(world: World, state: str) -> None:
    """One that no engine has begun, and one that waits for its user: the interrupt itself ends it, and starts."""
    world.agents.scripts["assistant"] = asking("c-1")
    call = await world.admitted()
    if state == "waiting":
        await world.engine(call)
    reply = await world.send(message(call, if_busy="interrupt"))
    assert (reply["status"], reply["position"]) == ("queued", 1)
    assert assert_ended_once(world, call.run_id) == "agent_cancelled"
    assert world.thread(call.thread_id).active_run == reply["run_id"]
    assert world.invoker.calls[-1].run_id == reply["run_id"]
    assert world.rows(CancelRow) == []


async def test_an_interrupt_whose_router_died_is_honoured(world: World) -> None:
    """The admission has put the mark: recovery ends the run that was to make way, and the interrupt starts."""
    call = await world.admitted()

    assert await world.dies(world.send(message(call, if_busy="interrupt")), admission, halt=Halt.AFTER)
    (run,) = world.thread(call.thread_id).queue
    assert world.log_types(call.run_id) == ["user_message"]
    await asyncio.sleep(10.001)
    await world.sweep()
    assert assert_ended_once(world, call.run_id) == "agent_cancelled"
    await world.recover()
    assert assert_ended_once(world, run) == "agent_completed"


async def test_a_repeated_interrupt_sees_to_the_run_that_makes_way(world: World) -> None:
    """The client sends its frame again to a second router: one run, and the first ends now."""
    call = await world.admitted()

    frame = message(call, if_busy="interrupt")
    assert await world.dies(world.send(frame), admission, halt=Halt.AFTER)
    reply = await world.send(frame)
    assert reply["duplicate"]
    assert assert_ended_once(world, call.run_id) == "agent_cancelled"
    assert world.invoker.calls[-1].run_id == reply["run_id"]


async def test_rejecting_leaves_the_thread_as_it_is(world: World) -> None:
    """`busy`, retryable; nothing is written, and the id may be used again."""
    call = await world.admitted()
    before = dict(world.memory.rows)
    refused = await world.send(message(call, if_busy="reject"))
    assert (refused["code"], refused["retryable"]) == ("busy", True)
    assert world.memory.rows == before
    await world.engine(call)
    assert (await world.send(message(call, if_busy="reject")))["status"] == "running"


async def test_a_repeated_request_of_a_queued_run_is_that_run(world: World) -> None:
    """Answered with its present status and place, as it moves up, becomes active, and ends; nothing runs twice."""
    call = await world.admitted()
    first = await world.queued(call)
    run = (await world.send(message(call)))["run_id"]

    async def again() -> JsonObject:
        reply = await world.send(message(call), connection="a2")
        assert (reply["run_id"], reply["duplicate"]) == (run, True)
        return reply

    assert ((await again())["status"], (await again())["position"]) == ("queued", 2)
    assert len(world.invoker.calls) == 1
    await world.engine(call)
    assert (await again())["position"] == 1
    assert [each.run_id for each in world.invoker.calls] == [call.run_id, first]
    await world.engine(world.invoker.calls[-1])
    reply = await again()
    assert (reply["status"], reply.get("position")) == ("running", None)
    assert [each.run_id for each in world.invoker.calls] == [call.run_id, first, run, run], (
        "asked for again: none has begun"
    )
    await world.serve()
    assert (await again())["status"] == "completed"
    assert assert_ended_once(world, run, connection="a2") == "agent_completed"
    assert len(world.rows(RunRow)) == 3


async def test_a_router_that_dies_behind_an_admission_loses_nothing(world: World) -> None:
    """Nobody was answered and no engine was asked for: in ten seconds the sweep does, and the run runs."""

    frame = {"action": "run", "id": "q-1", "text": "Hi"}
    assert await world.dies(world.send(frame), admission, halt=Halt.AFTER)
    assert world.invoker.calls == []
    (lease,) = world.leases()
    await asyncio.sleep(10.001)
    await world.sweep()
    await world.serve()
    assert assert_ended_once(world, lease.run_id) == "agent_completed"
    assert (await world.send(frame))["status"] == "completed"


async def test_a_thread_that_was_just_renamed_takes_the_message(world: World) -> None:
    """The thread moves while a message is on its way in: it is built anew, and both count."""
    call = await world.admitted()
    moved: list[str] = []

    def rename(one: Call) -> None:
        if admission(one) and not moved:
            row = world.thread(call.thread_id)
            world.memory._rows[row.key] = replace(row, version=row.version + 1, title="Renamed")
            moved.append("once")

    world.table.plan = rename
    run = (await world.send(message(call)))["run_id"]
    thread = world.thread(call.thread_id)
    assert (thread.title, thread.queue) == ("Renamed", (run,))


async def test_a_run_that_ends_while_another_comes_in() -> None:
    """Whenever during a run the next message comes, each runs once, in order; it is queued or active, never lost."""
    replies: list[JsonObject] = []

    async def come(world: World, call: EngineCall) -> None:
        replies.append(await world.send(message(call), connection="a2"))

    async def check(world: World, call: EngineCall) -> None:
        await world.recover()
        run = replies[-1]["run_id"]
        assert assert_ended_once(world, call.run_id) == "agent_completed"
        assert assert_ended_once(world, run, connection="a2") == "agent_completed"
        assert asked(await assert_history(world, call.thread_id)) == ["What is 17 * 23?", "And this?"]
        assert call.run_id < run

    calls = await meet(
        begin=lambda world: world.admitted(agent="echo"),
        one=lambda world, call: world.engine(call),
        other=come,
        check=check,
    )
    assert calls >= 9
    assert {reply["status"] for reply in replies} == {"queued", "running"}


@pytest.mark.parametrize("if_busy", ["enqueue", "interrupt"])
@pytest.mark.parametrize("way", WAYS)
async def test_any_one_call_may_fail(way: Fault | Halt, if_busy: str) -> None:
    """Whichever one call of the table fails, or wherever its router dies: the same frame sent until accepted is one
    run, once in the queue; it and the one before it end once."""

    async def begin(world: World) -> EngineCall:
        return await world.admitted()

    async def act(world: World, call: EngineCall) -> None:
        reply = await world.send(message(call, if_busy=if_busy))
        if reply["type"] == "error":
            assert (reply["code"], reply["retryable"]) == ("unavailable", True)

    async def check(world: World, call: EngineCall) -> None:
        reply = await world.send(message(call, if_busy=if_busy))
        assert reply["type"] == "accepted"
        assert len(world.rows(RunRow)) == 2
        thread = world.thread(call.thread_id)
        assert [run for run in (thread.active_run, *thread.queue) if run == reply["run_id"]] == [reply["run_id"]]
        assert world.rows(QuotaRow)[0].active.count(reply["run_id"]) == 1
        await world.recover()
        first = assert_ended_once(world, call.run_id)
        assert first == ("agent_cancelled" if if_busy == "interrupt" else "agent_completed")
        assert assert_ended_once(world, reply["run_id"]) == "agent_completed"
        await assert_history(world, call.thread_id)
        assert world.rows(CancelRow) == []

    assert await walk(way, begin=begin, act=act, check=check) >= (8 if if_busy == "interrupt" else 3)
