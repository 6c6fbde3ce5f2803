"""What recovery does for one run."""

import asyncio
from dataclasses import replace
from typing import TypeVar

import pytest

from dayfly.errors import EngineLost, EngineTimeout, Unsettled
from dayfly.log.messages import AssistantSaid, ToolAnswered
from dayfly.metrics import Metric
from dayfly.recovery.actions import MOST_RESUMES
from dayfly.runs.invoker import EngineCall
from dayfly.runs.state import AwaitingApproval, AwaitingEngine, Held, RunState, read_state_by_lease
from dayfly.store import keys
from dayfly.store.rows import CancelRow, HistoryRow, LogRow, RunRow
from dayfly.store.table import Put
from tests.fakes.agents import Programme, Round, asking, silent
from tests.fakes.faulty_table import Call, Halt, ends_a_run, rows_of
from tests.fakes.world import World, assert_ended_once, assert_history
from tests.unit.recovery.support import killed

LOST = EngineLost("The engine was lost.")


StateT = TypeVar("StateT", bound=RunState)


async def state_of(world: World, call: EngineCall, kind: type[StateT]) -> StateT:
    """Where the run stands, which is to be this."""
    found = await read_state_by_lease(world.memory, keys.lease_key(call.user_id, call.run_id))
    assert isinstance(found, kind)
    return found


def payloads(world: World, run: str, kind: str) -> list[dict[str, object]]:
    return [event["payload"] for event in world.log(run) if event["type"] == kind]


async def test_a_resumed_run_keeps_its_completed_tools(world: World) -> None:
    """What was done is not done again, what was said in vain is void, usage is summed, and the history is one story."""
    programme = Programme(
        Round("One. ", calls=("c-1", "c-2"), tool_s=1),
        Round("Two. ", calls=("c-3",), think_s=5, tool_s=1),
        Round("The answer.", think_s=5),
    )
    call = await world.killed(programme, after_s=5)
    assert programme.ran == ["c-1", "c-2"]
    await world.recovery_actions().resume(await state_of(world, call, Held), LOST)
    completed = max(event["seq"] for event in world.log(call.run_id) if event["type"] == "tool_completed")
    assert payloads(world, call.run_id, "agent_resumed") == [
        {"attempt": 2, "reason": "engine_lost", "discard_after": completed}
    ]
    second = world.starts(world.invoker.calls[-1], invocation="i-2")
    await asyncio.sleep(9)
    await world.crash(second)
    await world.recovery_actions().resume(await state_of(world, call, Held), LOST)
    await world.engine(world.invoker.calls[-1], invocation="i-3")
    assert programme.ran == ["c-1", "c-2", "c-3"]
    assert [set(turn.in_doubt) for turn in programme.turns] == [set(), set(), set()]
    assert assert_ended_once(world, call.run_id) == "agent_completed"
    payload = world.log(call.run_id)[-1]["payload"]
    assert payload["usage"] == {
        "requests": 3,
        "input_tokens": 30,
        "output_tokens": 3,
        "cache_read_tokens": 0,
        "cache_write_tokens": 0,
    }
    messages = await assert_history(world, call.thread_id)
    assert [each.text for each in messages if isinstance(each, AssistantSaid)] == ["One. ", "Two. ", "The answer."]
    assert [each.call_id for each in messages if isinstance(each, ToolAnswered)] == ["c-1", "c-2", "c-3"]


async def test_a_run_that_ends_cut_off_keeps_only_what_is_not_void(world: World) -> None:
    """Cancelled in its second attempt, the run's history has what that one said, not what the first said in vain."""
    call = await killed(world)
    await world.recovery_actions().resume(await state_of(world, call, Held), LOST)
    engine = world.starts(world.invoker.calls[-1])
    await asyncio.sleep(2)
    await world.ask("cancel", run_id=call.run_id)
    assert (await engine).outcome == "cancelled"
    messages = await assert_history(world, call.thread_id)
    assert [each.text for each in messages if isinstance(each, AssistantSaid)] == ["Well…"]
    assert world.log_types(call.run_id).count("agent_delta") == 2


@pytest.mark.parametrize(("idempotent", "end"), [(True, "agent_completed"), (False, "agent_error")])
async def test_a_tool_that_was_under_way(world: World, *, idempotent: bool, end: str) -> None:
    """One that may run twice is begun again and has one result; else the run ends with `tool_outcome_unknown`, and its
    history has a result for the call."""
    programme = Programme(Round("", calls=("c-1",), tool_s=10), Round("Done."), idempotent=idempotent)
    call = await world.killed(programme, after_s=5)
    await world.notice(call)
    await world.serve()
    assert programme.turns[-1].in_doubt == {"c-1"}
    assert assert_ended_once(world, call.run_id) == end
    assert world.log_types(call.run_id).count("tool_executing") == (2 if idempotent else 1)
    assert world.log_types(call.run_id).count("tool_completed") == (1 if idempotent else 0)
    assert programme.ran == (["c-1"] if idempotent else [])
    await assert_history(world, call.thread_id)
    if not idempotent:
        assert payloads(world, call.run_id, "agent_error")[0]["code"] == "tool_outcome_unknown"


async def test_an_approval_outlives_an_engine(world: World) -> None:
    """Where the engine that was to carry out what the user allowed dies, the next one does; nobody is asked again."""
    programme = Programme(Round(calls=("c-1", "c-2"), asks=True, tool_s=5), Round("Done."))
    world.agents.scripts["assistant"] = programme
    call = await world.admitted()
    await world.serve()
    await world.approve(call.run_id, "c-1")
    await world.approve(call.run_id, "c-2", approved=False, reason="No.")
    engine = world.starts(world.invoker.calls[-1], invocation="i-2")
    await asyncio.sleep(0)
    await world.crash(engine)
    await asyncio.sleep(30)
    await world.sweep()
    await world.recover()
    assert programme.ran == ["c-1"]
    statuses = {each["tool_call_id"]: each["status"] for each in payloads(world, call.run_id, "tool_completed")}
    assert statuses == {"c-1": "ok", "c-2": "denied"}
    assert world.log_types(call.run_id).count("approval_requested") == 2
    assert assert_ended_once(world, call.run_id) == "agent_completed"


@pytest.mark.parametrize("resumes", range(MOST_RESUMES + 1))
async def test_a_run_is_resumed_so_often(world: World, resumes: int) -> None:
    """Both sides of the most; what it ends with is the reason of the last loss."""
    call = await killed(world)
    row = world.run(call.run_id)
    world.memory._rows[row.key] = replace(row, resumes=resumes)
    await world.recovery_actions().resume(await state_of(world, call, Held), EngineTimeout("Too long."))
    if resumes < MOST_RESUMES:
        assert world.run(call.run_id).resumes == resumes + 1
        assert world.log_types(call.run_id)[-1] == "agent_resumed"
    else:
        assert assert_ended_once(world, call.run_id) == "agent_error"
        assert payloads(world, call.run_id, "agent_error") == [
            {"code": "engine_timeout", "message": "Too long.", "retryable": True}
        ]


@pytest.mark.parametrize("deed", ["resume", "start_again", "expire"])
async def test_a_cancel_mark_is_honoured_first(world: World, deed: str) -> None:
    """Whatever was to be done for the run: it is ended as its user wanted."""
    world.agents.scripts["assistant"] = asking("c-1") if deed == "expire" else silent
    call = await world.admitted()
    if deed == "expire":
        await world.serve()
    if deed == "resume":
        engine = world.starts(call)
        await asyncio.sleep(2)
        await world.crash(engine)
    mark = CancelRow(user_id=call.user_id, thread_id=call.thread_id, run_id=call.run_id, at=0, expires=2**40)
    world.memory._rows[mark.key] = mark
    recovery_actions = world.recovery_actions()
    match deed:
        case "resume":
            await recovery_actions.resume(await state_of(world, call, Held), LOST)
        case "start_again":
            await recovery_actions.start_again(await state_of(world, call, AwaitingEngine))
        case _:
            await recovery_actions.expire(await state_of(world, call, AwaitingApproval))
    assert assert_ended_once(world, call.run_id) == "agent_cancelled"
    assert len(world.invoker.calls) == 1
    assert world.rows(CancelRow) == []
    assert world.leases() == []


async def test_a_second_attempt_that_nobody_begins_is_invoked_again_and_then_ends(world: World) -> None:
    """Its ninety seconds count from when it was opened; it keeps its attempt and its seq."""
    call = await killed(world)
    await world.notice(call)
    second = world.invoker.calls[-1]
    opened = world.clock.monotonic()
    while world.clock.monotonic() < opened + 80:
        await asyncio.sleep(20)
        await world.sweep()
    assert world.invoker.calls[1:] == [second] * 5
    await asyncio.sleep(10.001)
    await world.sweep()
    assert payloads(world, call.run_id, "agent_error")[0]["code"] == "could_not_start"
    assert assert_ended_once(world, call.run_id) == "agent_error"
    assert (await world.engine(second)).outcome is None


async def test_a_resume_of_what_an_engine_has_taken_up_again_does_nothing(world: World) -> None:
    """What was read is not so any more: the lease was renewed. At most a piece of history is left beside, that nothing
    leads to."""
    world.agents.scripts["assistant"] = silent
    call = await world.admitted()
    engine = world.starts(call)
    await asyncio.sleep(2)
    found = await state_of(world, call, Held)
    await asyncio.sleep(4)
    before = dict(world.memory.rows)
    await world.recovery_actions().resume(found, LOST)
    assert world.memory.rows == before
    await world.recovery_actions().end(found, LOST)
    assert {key: row for key, row in world.memory.rows.items() if not isinstance(row, HistoryRow)} == before
    await world.crash(engine)


async def test_an_engine_that_dies_behind_its_runs_end_has_its_successor_started(world: World) -> None:
    """By the sweep, where no notice comes: the end is posted, and the next run is invoked within ten seconds."""
    call = await world.admitted()
    follower = await world.queued(call)
    assert await world.dies(world.engine(call), ends_a_run, halt=Halt.AFTER)
    assert [each.run_id for each in world.invoker.calls] == [call.run_id]
    await asyncio.sleep(10.001)
    await world.sweep()
    assert [each.run_id for each in world.invoker.calls] == [call.run_id, follower]
    await world.recover()
    for run in (call.run_id, follower):
        assert assert_ended_once(world, run) == "agent_completed"


async def test_a_recovery_that_dies_behind_its_fence_leaves_a_lease(world: World) -> None:
    """The attempt is open and nobody was asked for: the next sweep asks, and no further resume is counted."""
    call = await killed(world)

    def fences(one: Call) -> bool:
        return bool(rows_of(one, RunRow))

    assert await world.dies(world.notice(call), fences, halt=Halt.AFTER)
    assert len(world.invoker.calls) == 1
    world.agents.scripts["assistant"] = Programme(Round("Done."))
    await world.recover()
    assert world.run(call.run_id).resumes == 1
    assert assert_ended_once(world, call.run_id) == "agent_completed"


async def test_the_end_of_a_run_that_waited_long_is_posted_until_it_is_seen(world: World) -> None:
    """That a run waited for hours before it was cancelled is no reason to give its end up: who watches may have come
    since. Only two hours of trying are."""
    world.limits = replace(world.limits, approval_ms=5 * 3600 * 1000)
    world.engines = world.factory(world.table)
    world.agents.scripts["assistant"] = asking("c-1")
    call = await world.admitted()
    await world.serve()
    await asyncio.sleep(3 * 3600)
    await world.ask("attach", thread_id=call.thread_id, connection="a2")
    world.sockets.refuse["a2"] = Unsettled("throttled")
    await world.ask("cancel", run_id=call.run_id, connection="a3")
    await asyncio.sleep(60)
    await world.sweep()
    assert len(world.leases()) == 1
    world.sockets.refuse.clear()
    await asyncio.sleep(61)
    await world.sweep()
    assert "agent_cancelled" in world.sockets.types("a2")
    assert world.leases() == []


async def test_a_lease_that_has_moved_is_not_taken_for_an_invocation(world: World) -> None:
    """Whoever looked at a run before somebody else saw to it invokes nothing and changes nothing."""
    call = await world.admitted()
    await asyncio.sleep(11)
    found = await state_of(world, call, AwaitingEngine)
    moved = replace(found.lease, due=found.lease.due + 1)
    world.memory._rows[moved.key] = moved
    await world.recovery_actions().start_again(found)
    assert (world.invoker.calls, world.leases()) == ([call], [moved])
    await world.recovery_actions().start_again(await state_of(world, call, AwaitingEngine))
    assert world.invoker.calls == [call, call]


async def test_what_earlier_attempts_took_is_added_up(world: World) -> None:
    """From when an attempt could begin to the last that its log has; each resumption is counted in the metrics."""
    call = await killed(world, after_s=6)
    spent = 0
    for number in (1, 2):
        found = await state_of(world, call, Held)
        spent += found.tail.at - found.lease.activated
        await world.recovery_actions().resume(found, LOST)
        assert world.run(call.run_id).spent_ms == spent > 0
        assert world.meter.total(Metric.RUNS_RESUMED) == number
        engine = world.starts(world.invoker.calls[-1], invocation=f"i-{number + 1}")
        await asyncio.sleep(6)
        await world.crash(engine)


async def test_a_cancelled_runs_time_counts_from_its_admission(world: World) -> None:
    """The event says how long the run was there."""
    call = await world.admitted()
    await world.memory.write(
        Put(CancelRow(user_id=call.user_id, thread_id=call.thread_id, run_id=call.run_id, at=0, expires=2**40))
    )
    await asyncio.sleep(30)
    await world.recovery_actions().start_again(await state_of(world, call, AwaitingEngine))
    assert payloads(world, call.run_id, "agent_cancelled") == [{"execution_time_ms": 30_000}]
    assert world.invoker.calls == [call]


@pytest.mark.parametrize("missing", [RunRow, LogRow])
async def test_there_is_no_standing_without_run_and_log(world: World, missing: type[RunRow | LogRow]) -> None:
    """A run that is being deleted has a lease, perhaps, and nothing to look after."""
    call = await world.admitted()
    for row in world.rows(missing):
        del world.memory._rows[row.key]
    assert await read_state_by_lease(world.memory, keys.lease_key(call.user_id, call.run_id)) is None
