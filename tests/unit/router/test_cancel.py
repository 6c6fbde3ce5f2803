"""Cancel, in each state of a run."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from dayfly.agents.sdk.protocol import AgentEvent, Thinking, Turn
from dayfly.metrics import Metric
from dayfly.store.rows import CancelRow, RequestRow, RequestState
from dayfly.store.table import Matches, Put
from tests.fakes.faulty_table import Call, Fault, ends_a_run, rows_of
from tests.fakes.sockets import JsonObject
from tests.fakes.world import World, assert_ended_once


async def silent(turn: Turn) -> AsyncIterator[AgentEvent]:
    yield Thinking("…", 1)
    await asyncio.sleep(3600)


async def test_a_run_that_has_not_begun_is_ended_at_once(world: World) -> None:
    """Cancelled before an engine began, a run ends with `agent_cancelled` as seq 2; the late engine does nothing."""
    call = await world.admitted()
    reply = await world.ask("cancel", run_id=call.run_id)
    assert (reply["type"], reply["run_id"]) == ("cancelling", call.run_id)
    assert assert_ended_once(world, call.run_id) == "agent_cancelled"
    assert world.leases() == []
    assert (await world.engine(call)).outcome is None
    assert world.log_types(call.run_id) == ["user_message", "agent_cancelled"]
    assert world.meter.total(Metric.RUNS_CANCELLED) == 1


async def test_a_run_whose_engine_let_its_lease_run_out_is_ended_at_once(world: World) -> None:
    """While the lease holds, the mark is the engine's to see; from the moment on in which it is due, the cancel itself
    ends the run, without waiting for a sweep."""
    call = await world.killed(silent)
    (lease,) = world.leases()
    await asyncio.sleep((lease.due - world.clock.now_ms()) / 1000 - 0.001)
    await world.ask("cancel", run_id=call.run_id)
    assert world.log_types(call.run_id)[-1] == "agent_thinking"
    await asyncio.sleep(0.001)
    await world.ask("cancel", run_id=call.run_id)
    assert assert_ended_once(world, call.run_id) == "agent_cancelled"


async def test_a_cancel_by_request_id(world: World) -> None:
    """The request id of an admitted run cancels it."""
    reply = await world.send({"action": "run", "id": "q-mine", "text": "Hi"})
    cancelled = await world.ask("cancel", request_id="q-mine")
    assert cancelled["run_id"] == reply["run_id"]
    assert assert_ended_once(world, reply["run_id"]) == "agent_cancelled"


async def test_a_cancel_ahead_of_its_run(world: World) -> None:
    """A request that is cancelled before it comes is answered `cancelled`, and nothing runs."""
    first = await world.ask("cancel", request_id="q-mine")
    assert first == {"type": "cancelling", "id": first["id"]}
    reply = await world.send({"action": "run", "id": "q-mine", "text": "Hi"})
    assert (reply["type"], reply["code"]) == ("error", "cancelled")
    assert world.invoker.calls == []


@pytest.mark.parametrize(("faster", "end"), [(4, "agent_cancelled"), (5, "user_message")])
async def test_a_cancel_looks_five_times(world: World, faster: int, end: str) -> None:
    """Where somebody who looks after the run was faster four times, the fifth look ends it; after five, the mark is
    left to whoever that is, and the caller is answered all the same."""
    call = await world.admitted()
    came: list[int] = []

    def renewed(one: Call) -> None:
        if ends_a_run(one) and len(came) < faster:
            came.append(one.number)
            (lease,) = world.leases()
            world.memory._rows[lease.key] = replace(lease, due=lease.due + 1)

    world.table.plan = renewed
    assert (await world.ask("cancel", run_id=call.run_id))["type"] == "cancelling"
    assert len(came) == faster
    assert world.log_types(call.run_id)[-1] == end
    assert len(world.rows(CancelRow)) == (end == "user_message")
    await asyncio.sleep(11)
    await world.sweep()
    assert assert_ended_once(world, call.run_id) == "agent_cancelled"


async def test_a_cancel_and_its_run_at_once(world: World) -> None:
    """Whichever of a `run` and the cancel of its id comes first, the run is refused or ends."""
    for _ in range(20):
        world = World()
        await asyncio.gather(
            world.send({"action": "run", "id": "q-1", "text": "Hi"}, connection="a1"),
            world.ask("cancel", id="q-2", request_id="q-1", connection="a2"),
        )
        if world.invoker.calls:
            assert_ended_once(world, world.invoker.calls[0].run_id, connection=None)


async def test_an_expired_request_does_not_stand_in_for_a_new_one(world: World) -> None:
    """A cancel of an id that was used more than a day ago keeps the new request from being admitted."""
    await world.send({"action": "run", "id": "q-1", "text": "Hi"})
    await world.engine(world.invoker.calls[0])
    await asyncio.sleep(24 * 3600)
    reply = await world.ask("cancel", id="q-c", request_id="q-1")
    assert reply == {"type": "cancelling", "id": "q-c"}
    assert (await world.send({"action": "run", "id": "q-1", "text": "Ho"}))["code"] == "cancelled"


@pytest.mark.parametrize("meanwhile", ["run", "cancel"])
async def test_an_expired_request_that_is_made_anew_while_it_is_cancelled(world: World, meanwhile: str) -> None:
    """Between the cancel's look at the old row and its own write the id is used again: the new run is what the cancel
    ends, and it does not write over the row by which a repeat is told of that run. Another cancel there is as this."""
    await world.send({"action": "run", "id": "q-1", "text": "Hi"})
    await world.engine(world.invoker.calls[0])
    await asyncio.sleep(24 * 3600)
    others: list[asyncio.Task[JsonObject]] = []

    def plan(one: Call) -> float | None:
        replaces = any(isinstance(action, Put) and isinstance(action.when, Matches) for action in one.actions)
        if others or not (replaces and rows_of(one, RequestRow)):
            return None
        frame = {"action": "run", "id": "q-1", "text": "Ho"}
        if meanwhile == "cancel":
            frame = {"action": "cancel", "id": "q-d", "request_id": "q-1"}
        others.append(asyncio.create_task(world.send(frame, connection="a2")))
        return 0.1

    world.table.plan = plan
    reply = await world.ask("cancel", id="q-c", request_id="q-1")
    (other,) = [await task for task in others]
    (row,) = world.rows(RequestRow)
    if meanwhile == "cancel":
        assert reply == {"type": "cancelling", "id": "q-c"}
        assert other == {"type": "cancelling", "id": "q-d"}
        assert (row.state, row.run_id) == (RequestState.CANCELLED, None)
    else:
        assert reply == {"type": "cancelling", "id": "q-c", "run_id": other["run_id"]}
        assert (row.state, row.run_id) == (RequestState.ADMITTED, other["run_id"])
        assert assert_ended_once(world, other["run_id"], connection="a2") == "agent_cancelled"


async def test_a_cancel_of_an_ended_run_posts_the_end_again(world: World) -> None:
    """A run that has ended stays as it ended; its terminal event is posted again."""
    call = await world.admitted()
    await world.engine(call)
    reply = await world.ask("cancel", run_id=call.run_id)
    assert reply["type"] == "cancelling"
    assert world.sockets.types("a1").count("agent_completed") == 2
    assert assert_ended_once(world, call.run_id) == "agent_completed"


async def test_a_mark_is_bound_to_its_run(world: World) -> None:
    """The mark of a cancelled run does not end the thread's next run."""
    call = await world.admitted()
    running = asyncio.create_task(world.engine(call))
    await asyncio.sleep(0)
    await world.memory.write(
        Put(CancelRow(user_id=call.user_id, thread_id=call.thread_id, run_id="r-another", at=0, expires=2**40))
    )
    assert (await running).outcome == "completed"
    following = await world.admitted("And now?", thread_id=call.thread_id)
    assert (await world.engine(following)).outcome == "completed"


async def test_a_cancel_against_a_beginning_engine(world: World) -> None:
    """However a cancel and the engine's beginning interleave, the run ends once and soon."""
    for delay in range(12):
        world = World()
        world.agents.scripts["assistant"] = silent
        call = await world.admitted()

        async def later(world: World, call_run: str, steps: int) -> None:
            for _ in range(steps):
                await asyncio.sleep(0)
            await world.ask("cancel", run_id=call_run, connection="a2")

        started = world.clock.monotonic()
        await asyncio.gather(world.engine(call), later(world, call.run_id, delay))
        assert world.clock.monotonic() - started <= 0.6
        assert assert_ended_once(world, call.run_id) == "agent_cancelled"


@pytest.mark.parametrize("fault", list(Fault))
async def test_any_one_call_may_fail(fault: Fault) -> None:
    """Whichever one call of the table fails during a cancel, the cancel sent until answered ends the run once."""
    number = 0
    while True:
        world = World()
        call = await world.admitted()
        world.table.fail_once(number, fault)
        first = len(world.table.calls)
        reply = await world.ask("cancel", run_id=call.run_id)
        if len(world.table.calls) <= first + number:
            break
        if reply["type"] == "error":
            assert reply["code"] == "unavailable"
            assert (await world.ask("cancel", run_id=call.run_id))["type"] == "cancelling"
        assert assert_ended_once(world, call.run_id) == "agent_cancelled"
        number += 1
    assert number >= 8


async def test_a_mark_goes_with_its_run(world: World) -> None:
    """No mark is left of a run that was cancelled before it began, while it ran, or after it had ended: marks that
    piled up would in time hide a thread's sockets from its engines."""
    call = await world.admitted()
    await world.ask("cancel", run_id=call.run_id)
    world.agents.scripts["assistant"] = silent
    running = await world.admitted("And now?", thread_id=call.thread_id)
    engine = asyncio.create_task(world.engine(running))
    await asyncio.sleep(1)
    await world.ask("cancel", run_id=running.run_id)
    assert (await engine).outcome == "cancelled"
    await world.ask("cancel", run_id=running.run_id)
    assert world.rows(CancelRow) == []
