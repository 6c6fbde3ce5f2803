"""The end of a run with others behind it, and of those that still wait in their thread's queue."""

import asyncio
from dataclasses import replace

import pytest

from dayfly.errors import ErrorCode, IllegalTransition, Superseded, Unsettled
from dayfly.metrics import Metric
from dayfly.protocol.events import AgentCancelled, AgentError
from dayfly.runs.end import cancel_queued, end_run
from dayfly.runs.invoker import EngineCall
from dayfly.store.rows import CancelRow, LeaseRow, LeaseState, LogRow, QuotaRow, RunRow, ThreadRow, ThreadState
from dayfly.store.table import Put
from tests.fakes.faulty_table import Fault, Halt, ends_a_run, rows_of
from tests.fakes.walk import WAYS, meet, walk
from tests.fakes.world import World, assert_ended_once, assert_history

FAILED = AgentError(code=ErrorCode.ENGINE_LOST, message="Lost.", retryable=True)
CANCELLED = AgentCancelled(execution_time_ms=1)


async def with_queue(world: World, length: int = 2) -> tuple[EngineCall, list[str]]:
    """A thread with an active run that nobody has begun, and others behind it."""
    call = await world.admitted(agent="echo")
    return call, [await world.queued(call, f"And {n}?", agent="echo") for n in range(length)]


async def test_a_queued_run_ends_in_its_place(world: World) -> None:
    """It leaves the queue and the quota, keeps its question in the history, and touches nobody else."""
    call, (first, second, third) = await with_queue(world, 3)
    assert await end_run(world.run_writer(), world.run(second), None, CANCELLED)
    assert assert_ended_once(world, second) == "agent_cancelled"
    assert world.log_types(second) == ["user_message", "agent_cancelled"]
    thread = world.thread(call.thread_id)
    assert (thread.active_run, thread.queue, thread.ended) == (call.run_id, (first, third), 1)
    assert world.rows(QuotaRow)[0].active == (call.run_id, first, third)
    assert [lease.run_id for lease in world.leases()] == [call.run_id]
    assert len(world.invoker.calls) == 1
    await world.recover()
    assert [message.text for message in await assert_history(world, call.thread_id) if message.kind == "user"] == [
        "And 1?",
        "What is 17 * 23?",
        "And 0?",
        "And 2?",
    ]


async def test_a_queued_runs_end_is_one_transaction(world: World) -> None:
    """Record, thread, quota, mark and the lease by which its end is posted again are written together."""
    _, (first, _) = await with_queue(world)
    world.table.calls.clear()
    await end_run(world.run_writer(), world.run(first), None, CANCELLED)
    (write,) = [call for call in world.table.calls if ends_a_run(call)]
    assert [type(action.row) for action in write.actions if isinstance(action, Put)] == [
        LogRow,
        ThreadRow,
        QuotaRow,
        LeaseRow,
    ]
    (lease,) = rows_of(write, LeaseRow)
    assert (lease.run_id, lease.state, lease.due - world.clock.now_ms()) == (first, "ended", 5000)


async def test_a_mark_goes_with_its_run(world: World) -> None:
    """No cancel mark outlives its run, whichever way that ended."""
    call, (first, _) = await with_queue(world)
    for run in (call.run_id, first):
        await world.memory.write(
            Put(CancelRow(user_id=call.user_id, thread_id=call.thread_id, run_id=run, at=0, expires=2**40))
        )
    await end_run(world.run_writer(), world.run(first), None, CANCELLED)
    (lease,) = world.leases()
    await end_run(world.run_writer(), world.run(call.run_id), lease, FAILED)
    assert world.rows(CancelRow) == []


async def test_a_run_that_has_become_active_is_not_ended_as_a_queued_one(world: World) -> None:
    """Its turn came meanwhile: who wanted it out of the queue has to look again."""
    call, (first, _) = await with_queue(world)
    run = world.run(first)
    await world.engine(call)
    assert world.thread(call.thread_id).active_run == first
    with pytest.raises(Superseded):
        await end_run(world.run_writer(), run, None, CANCELLED)
    assert world.log_types(first) == ["user_message"]


async def test_the_first_that_waits_starts_with_the_end_before_it(world: World) -> None:
    """It becomes active, with its lease, in the very transaction of that end; then its engine is asked for."""
    call, (first, second) = await with_queue(world)
    (lease,) = world.leases()
    assert await end_run(world.run_writer(), world.run(call.run_id), lease, FAILED)
    (write,) = [one for one in world.table.calls if ends_a_run(one)]
    assert {(row.run_id, row.state) for row in rows_of(write, LeaseRow)} == {(call.run_id, "ended"), (first, "waiting")}
    assert [(row.active_run, row.queue) for row in rows_of(write, ThreadRow)] == [(first, (second,))]
    assert [each.run_id for each in world.invoker.calls] == [call.run_id, first]
    (waiting,) = world.leases()
    assert (waiting.run_id, waiting.attempt, waiting.first_seq, waiting.activated) == (
        first,
        1,
        2,
        world.clock.now_ms(),
    )


async def test_on_a_forgotten_thread_nothing_starts(world: World) -> None:
    """The run that ends there leaves the thread idle; those that wait are cancelled, not started."""
    call, (first, second) = await with_queue(world)
    thread = world.thread(call.thread_id)
    world.memory._rows[thread.key] = replace(thread, state=ThreadState.FORGOTTEN)
    (lease,) = world.leases()
    await end_run(world.run_writer(), world.run(call.run_id), lease, FAILED)
    thread = world.thread(call.thread_id)
    assert (thread.active_run, thread.queue) == (None, (first, second))
    assert len(world.invoker.calls) == 1
    assert world.leases() == []


async def test_all_that_wait_are_cancelled_and_none_becomes_active(world: World) -> None:
    """The last goes first, so that none has its turn between; the active run is not touched."""
    call, queue = await with_queue(world, 5)
    seen: list[tuple[str, ...]] = []
    world.table.plan = lambda one: seen.extend(row.queue for row in rows_of(one, ThreadRow))
    await cancel_queued(world.run_writer(), world.thread(call.thread_id))
    assert seen == [tuple(queue[:length]) for length in (4, 3, 2, 1, 0)]
    for run in queue:
        assert assert_ended_once(world, run) == "agent_cancelled"
    assert world.thread(call.thread_id).active_run == call.run_id
    assert len(world.invoker.calls) == 1
    assert world.meter.total(Metric.RUNS_CANCELLED) == 5


async def test_what_left_the_queue_meanwhile_is_passed_over(world: World) -> None:
    """A run that has ended, or become active, since the thread was read is no reason to stop."""
    call, (first, second, third) = await with_queue(world, 3)
    as_read = world.thread(call.thread_id)
    await end_run(world.run_writer(), world.run(second), None, CANCELLED)
    await world.engine(call)
    await cancel_queued(world.run_writer(), as_read)
    assert world.thread(call.thread_id).active_run == first
    assert world.thread(call.thread_id).queue == ()
    assert assert_ended_once(world, third) == "agent_cancelled"
    assert world.log_types(second).count("agent_cancelled") == 1


async def test_an_end_and_a_cancel_of_the_next_at_once() -> None:
    """Whenever during a run the first that waits behind it is cancelled, each ends once, and none is left to wait."""
    ends = set[str]()

    async def check(world: World, scene: tuple[EngineCall, list[str]]) -> None:
        call, (first, second) = scene
        await world.recover()
        ends.add(assert_ended_once(world, first))
        for run in (call.run_id, second):
            assert assert_ended_once(world, run) == "agent_completed"
        await assert_history(world, call.thread_id)
        assert world.rows(CancelRow) == []

    calls = await meet(
        begin=with_queue,
        one=lambda world, scene: world.engine(scene[0]),
        other=lambda world, scene: world.ask("cancel", run_id=scene[1][0], connection="a2"),
        check=check,
    )
    assert calls >= 10
    assert ends == {"agent_cancelled"}


@pytest.mark.parametrize("way", WAYS)
async def test_any_one_call_may_fail_with_a_successor(way: Fault | Halt) -> None:
    """Whichever one call of the table fails while a run with others behind it is ended, it ends once; each of those
    then runs once, in order."""

    async def act(world: World, scene: tuple[EngineCall, list[str]]) -> None:
        run, lease = (
            world.run(scene[0].run_id),
            next(lease for lease in world.leases() if lease.run_id == scene[0].run_id),
        )
        try:
            await end_run(world.run_writer(), run, lease, FAILED)
        except Unsettled:
            await end_run(world.run_writer(), run, lease, FAILED)

    async def check(world: World, scene: tuple[EngineCall, list[str]]) -> None:
        call, queue = scene
        await world.recover()
        assert assert_ended_once(world, call.run_id) in {"agent_error", "agent_completed"}
        for run in queue:
            assert assert_ended_once(world, run) == "agent_completed"
        asked = [message for message in await assert_history(world, call.thread_id) if message.kind == "user"]
        assert [message.text for message in asked] == ["What is 17 * 23?", "And 0?", "And 1?"]
        assert len(world.rows(RunRow)) == 3
        assert world.rows(QuotaRow)[0].active == ()

    assert await walk(way, begin=with_queue, act=act, check=check) >= 8


@pytest.mark.parametrize("way", WAYS)
async def test_any_one_call_may_fail_for_a_queued_run(way: Fault | Halt) -> None:
    """Whichever one call of the table fails while a queued run is cancelled by its user, it ends once: now, when its
    user asks again, or, where the router died, in its turn."""

    async def act(world: World, scene: tuple[EngineCall, list[str]]) -> None:
        reply = await world.ask("cancel", run_id=scene[1][0])
        if reply["type"] == "error":
            assert reply["code"] == "unavailable"
            assert (await world.ask("cancel", run_id=scene[1][0]))["type"] == "cancelling"

    async def check(world: World, scene: tuple[EngineCall, list[str]]) -> None:
        call, (first, second) = scene
        marked = bool(world.rows(CancelRow)) or "agent_cancelled" in world.log_types(first)
        await world.recover()
        assert assert_ended_once(world, first) == ("agent_cancelled" if marked else "agent_completed")
        for run in (call.run_id, second):
            assert assert_ended_once(world, run) == "agent_completed"
        await assert_history(world, call.thread_id)
        assert world.rows(CancelRow) == []

    assert await walk(way, begin=with_queue, act=act, check=check) >= 8


async def test_an_unposted_end_of_a_queued_run_is_posted_by_the_sweep(world: World) -> None:
    """Where the router dies right after the commit, the sweep posts the end and drops the lease."""
    call, (first, _) = await with_queue(world)
    assert await world.dies(world.ask("cancel", run_id=first), ends_a_run, halt=Halt.AFTER)
    assert [(lease.run_id, lease.state) for lease in world.leases()].count((first, LeaseState.ENDED)) == 1
    assert "agent_cancelled" not in world.sockets.types("a1")
    await asyncio.sleep(6)
    await world.sweep()
    assert assert_ended_once(world, first) == "agent_cancelled"
    assert [lease.run_id for lease in world.leases()] == [call.run_id]


async def test_a_run_that_waits_and_is_not_there_is_a_bug_that_shows(world: World) -> None:
    """It is not passed over, which would leave a deletion looking again for ever."""
    call = await world.admitted()
    waiting = await world.queued(call)
    del world.memory._rows[world.run(waiting).key]
    with pytest.raises(IllegalTransition):
        await cancel_queued(world.run_writer(), world.thread(call.thread_id))


async def test_a_queued_runs_time_counts_from_its_admission(world: World) -> None:
    """A run that is ended in the queue says how long it waited there."""
    call = await world.admitted()
    waiting = await world.queued(call)
    await asyncio.sleep(30)
    await cancel_queued(world.run_writer(), world.thread(call.thread_id))
    (end,) = [event for event in world.log(waiting) if event["type"] == "agent_cancelled"]
    assert end["payload"] == {"execution_time_ms": 30_000}
    assert world.thread(call.thread_id).queue == ()
