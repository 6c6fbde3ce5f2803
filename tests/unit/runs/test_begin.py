"""An attempt's first record: it begins the present attempt, on its live thread, and claims the lease with it."""

import asyncio
from dataclasses import replace

import pytest

from dayfly.store.rows import CancelRow, LeaseRow, LeaseState, LogRow
from tests.fakes.agents import Programme, Round, silent
from tests.fakes.faulty_table import Call, rows_of
from tests.fakes.world import World, assert_ended_once


async def test_an_engine_begins_only_with_a_lease_to_take(world: World) -> None:
    """A lease that is gone between the engine's look and its first append is not made anew, and nothing is begun."""
    call = await world.admitted()
    key = world.leases()[0].key

    def plan(one: Call) -> None:
        if one.method == "write" and len(one.actions) > 2:
            world.memory._rows.pop(key, None)

    world.table.plan = plan
    assert (await world.engine(call)).outcome is None
    assert world.leases() == []
    assert world.log_types(call.run_id) == ["user_message"]


async def test_of_two_engines_for_a_later_attempt_one_runs(world: World) -> None:
    """The first record of an attempt is whatever comes next, and claims the lease all the same."""
    call = await world.killed(silent)
    await world.notice(call)
    world.agents.scripts["assistant"] = Programme(Round("", calls=("c-1",)), Round("The end."))
    second = world.invoker.calls[-1]
    reports = await asyncio.gather(world.engine(second, invocation="i-2"), world.engine(second, invocation="i-3"))
    assert sorted(str(report.outcome) for report in reports) == ["None", "completed"]
    assert assert_ended_once(world, call.run_id) == "agent_completed"
    assert len({row.nonce for row in world.rows(LogRow) if row.first >= second.first_seq}) == 1
    assert world.log(call.run_id)[second.first_seq - 1]["type"] == "agent_thinking"


async def test_a_later_attempt_holds_its_lease_from_its_first_record_on(world: World) -> None:
    """In one transaction with it, in the attempt's own name."""
    call = await world.killed(silent)
    await world.notice(call)
    second = world.invoker.calls[-1]
    engine = world.starts(second)
    await asyncio.sleep(0.5)
    (lease,) = world.leases()
    (first,) = [row for row in world.rows(LogRow) if row.first == second.first_seq]
    assert (lease.state, lease.attempt, lease.first_seq) == (LeaseState.HELD, 2, second.first_seq)
    assert lease.nonce == first.nonce
    (write,) = [one for one in world.table.calls if first in rows_of(one, LogRow)]
    assert rows_of(write, LeaseRow) != []
    await world.crash(engine)


async def test_a_later_attempt_of_a_run_that_was_cancelled_between_ends_it_with_its_first_record(world: World) -> None:
    """Two engines at once, both see the mark: the end is written once."""
    call = await world.killed(silent)
    await world.notice(call)
    mark = CancelRow(user_id=call.user_id, thread_id=call.thread_id, run_id=call.run_id, at=0, expires=2**40)
    world.memory._rows[mark.key] = mark
    second = world.invoker.calls[-1]
    reports = await asyncio.gather(world.engine(second, invocation="i-2"), world.engine(second, invocation="i-3"))
    assert sorted(str(report.outcome) for report in reports) == ["None", "cancelled"]
    assert assert_ended_once(world, call.run_id) == "agent_cancelled"
    assert world.log(call.run_id)[second.first_seq - 1]["type"] == "agent_cancelled"


@pytest.mark.parametrize("moved", [{"attempt": 2}, {"first_seq": 9}])
async def test_an_engine_begins_only_the_present_attempt(world: World, moved: dict[str, int]) -> None:
    """A run that has moved on between the engine's look and its first record is not begun."""
    call = await world.admitted()

    def plan(one: Call) -> None:
        if rows_of(one, LogRow):
            run = world.run(call.run_id)
            world.memory._rows[run.key] = replace(run, **moved)  # type: ignore[arg-type]

    world.table.plan = plan
    assert (await world.engine(call)).outcome is None
    assert world.log_types(call.run_id) == ["user_message"]
    assert [lease.state for lease in world.leases()] == [LeaseState.WAITING]


@pytest.mark.parametrize("moved", [{"state": "forgotten"}, {"active_run": "r-other"}])
async def test_a_later_attempt_does_not_begin_on_a_thread_that_is_not_its_own(
    world: World, moved: dict[str, str]
) -> None:
    """The first record checks it, whatever event that is."""
    call = await world.killed(silent)
    await world.notice(call)
    second = world.invoker.calls[-1]

    def plan(one: Call) -> None:
        if any(row.first == second.first_seq for row in rows_of(one, LogRow)):
            thread = world.thread(call.thread_id)
            world.memory._rows[thread.key] = replace(thread, **moved)  # type: ignore[arg-type]

    world.table.plan = plan
    assert (await world.engine(second)).outcome is None
    assert world.log_types(call.run_id)[-1] == "agent_resumed"
