"""Waiting for the user: the attempt ends, and nothing waits in Lambda."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest

from dayfly.agents.sdk.protocol import AgentEvent, Asked, Delta, OpenCall, Responded, Turn
from dayfly.engine.attempt import MOST_APPROVALS
from dayfly.engine.time_budget import RunLimits
from dayfly.errors import Unsettled
from dayfly.log.messages import AssistantSaid, ToolCall
from dayfly.runs.invoker import EngineCall
from dayfly.store.rows import CancelRow, LeaseRow, LogRow, QuotaRow, RunRow
from dayfly.text import rfc3339
from tests.fakes.agents import Programme, Round, Script, asking
from tests.fakes.faulty_table import Call, Fault, Halt, rows_of
from tests.fakes.walk import WAYS, walk
from tests.fakes.world import World, assert_ended_once, assert_history


def pauses(call: Call) -> bool:
    """Whether this is the transaction by which a run begins to wait."""
    return any(row.pending for row in rows_of(call, RunRow))


async def asked(world: World, script: Script | None = None) -> EngineCall:
    """A run whose agent is about to ask."""
    world.agents.scripts["assistant"] = script or asking("c-1", "c-2")
    return await world.admitted()


async def test_a_run_waits_with_nobody_at_work_on_it(world: World) -> None:
    """The engine returns; the run is `waiting`, keeps its thread and its place in the quota, and is not looked after
    until the question expires."""
    call = await asked(world)
    assert (await world.engine(call)).outcome == "waiting"
    attached = await world.ask("attach", thread_id=call.thread_id, connection="a2")
    assert [run["status"] for run in attached["runs"]] == ["waiting"]
    assert world.thread(call.thread_id).active_run == call.run_id
    assert world.rows(QuotaRow)[0].active == (call.run_id,)
    before = dict(world.memory.rows)
    for _ in range(59):
        await asyncio.sleep(60)
        assert await world.sweep() == 0
    assert world.memory.rows == before
    assert len(world.invoker.calls) == 1


async def test_the_question_is_one_transaction(world: World) -> None:
    """Records, open calls and the lease that is due at `expires_at` are written together, and to whoever watches each
    call is told once."""
    world.limits = RunLimits(approval_ms=90_000)
    world.engines = world.factory(world.table)
    call = await asked(world)
    await world.engine(call)
    (write,) = [one for one in world.table.calls if pauses(one)]
    assert [len(rows_of(write, kind)) for kind in (LogRow, RunRow, LeaseRow)] == [1, 1, 1]
    (lease,) = world.leases()
    assert (lease.state, lease.due) == ("approval", world.clock.now_ms() + 90_000)
    events = [event for event in world.sockets.events("a1") if event["type"] == "approval_requested"]
    assert [event["payload"] for event in events] == [
        {"tool_name": "work", "tool_call_id": name, "parameters": {}, "expires_at": rfc3339(lease.due)}
        for name in ("c-1", "c-2")
    ]
    row = world.run(call.run_id)
    assert (row.pending, row.answers, row.answered) == (("c-1", "c-2"), (), 0)
    assert (row.attempt, row.first_seq) == (1, 2)


async def test_calls_that_need_no_approval_have_ended_before(world: World) -> None:
    """Their results are in the journal when the run waits, and are not asked for again."""

    async def mixed(turn: Turn) -> AsyncIterator[AgentEvent]:
        async for event in Programme(Round(calls=("free",)), Round(calls=("dear",), asks=True), Round("Done."))(turn):
            yield event

    call = await asked(world, mixed)
    await world.engine(call)
    assert world.log_types(call.run_id)[-3:] == ["tool_completed", "agent_thinking", "approval_requested"]
    await world.approve(call.run_id, "dear")
    await world.serve()
    assert world.log_types(call.run_id).count("tool_executing") == 2
    assert assert_ended_once(world, call.run_id) == "agent_completed"


async def test_the_time_before_the_question_counts_and_the_waiting_does_not(world: World) -> None:
    """A run's time is that of its engines."""
    call = await asked(world, Programme(Round(calls=("c-1",), asks=True, think_s=7), Round("Done.", think_s=5)))
    await world.engine(call)
    assert world.run(call.run_id).spent_ms == 7000
    await asyncio.sleep(1800)
    await world.approve(call.run_id, "c-1")
    await world.serve()
    assert world.log(call.run_id)[-1]["payload"]["execution_time_ms"] == 12_000


def many(count: int, *, parameter: str = "x", said: str = "") -> Script:
    """An agent that asks for so many approvals at once, of calls with long parameters."""

    async def script(turn: Turn) -> AsyncIterator[AgentEvent]:
        if said:
            yield Delta(said)
        calls = tuple(ToolCall(f"c-{n}", "work", f'{{"all": "{parameter}"}}') for n in range(count))
        yield Responded(AssistantSaid(said, calls))
        yield Asked(tuple(OpenCall("work", call.call_id, {"all": parameter}) for call in calls))

    return script


async def test_the_most_calls_with_the_longest_parameters_are_one_item(world: World) -> None:
    """Sixteen at once fit into one row of the log, behind as much text as may wait; whole in the journal, cut in the
    events."""
    call = await asked(world, many(MOST_APPROVALS, parameter="\u00e9" * 50_000, said="\u00e9" * 60_000))
    assert (await world.engine(call)).outcome == "waiting"
    assert len(world.run(call.run_id).pending) == MOST_APPROVALS
    last = max((row for row in world.rows(LogRow) if row.run_id == call.run_id), key=lambda row: row.last)
    assert sum('"approval_requested"' in event for event in last.events) == MOST_APPROVALS


async def test_one_call_more_fails_the_run(world: World) -> None:
    """Seventeen at once end it with `agent_failed`; nothing was asked."""
    call = await asked(world, many(MOST_APPROVALS + 1))
    assert (await world.engine(call)).outcome == "failed"
    assert world.log(call.run_id)[-1]["payload"]["code"] == "agent_failed"
    assert "approval_requested" not in world.log_types(call.run_id)
    assert assert_ended_once(world, call.run_id) == "agent_error"


async def test_a_cancel_while_the_engine_pauses_ends_the_run(world: World) -> None:
    """At whichever call of the engine the user cancels, until after it has returned: the run ends, cancelled, once and
    at once; it is not left waiting."""
    number = 0
    while True:
        world = World()
        call = await asked(world)
        at = len(world.table.calls) + number
        cancels: list[asyncio.Task[Any]] = []

        def plan(one: Call, world: World = world, call: EngineCall = call, at: int = at) -> None:
            if one.number == at:
                cancels.append(asyncio.create_task(world.ask("cancel", run_id=call.run_id, connection="a2")))  # noqa: B023

        world.table.plan = plan
        await world.engine(call)
        world.table.plan = lambda one: None
        came = bool(cancels)
        if not came:
            cancels.append(asyncio.create_task(world.ask("cancel", run_id=call.run_id, connection="a2")))
        await asyncio.gather(*cancels)
        assert world.clock.monotonic() < 1
        assert assert_ended_once(world, call.run_id) == "agent_cancelled"
        assert world.rows(CancelRow) == []
        assert world.leases() == []
        await assert_history(world, call.thread_id)
        if not came:
            break
        number += 1
    assert number >= 6


async def test_a_mark_that_the_engine_alone_could_see_is_honoured(world: World) -> None:
    """A router that marked the run before it waited, and died, leaves it to the engine to look once more."""
    call = await asked(world)

    def plan(one: Call) -> None:
        if pauses(one):
            mark = CancelRow(user_id=call.user_id, thread_id=call.thread_id, run_id=call.run_id, at=0, expires=2**40)
            world.memory._rows[mark.key] = mark

    world.table.plan = plan
    assert (await world.engine(call)).outcome == "cancelled"
    assert assert_ended_once(world, call.run_id) == "agent_cancelled"
    assert world.log_types(call.run_id)[-3:] == ["approval_requested", "approval_requested", "agent_cancelled"]


@pytest.mark.parametrize("moved", [{"nonce": "another"}, {"state": "waiting"}, {"first_seq": 9}])
async def test_a_superseded_engine_asks_nothing(world: World, moved: dict[str, Any]) -> None:
    """Where its lease is another's, no question is logged."""
    call = await asked(world)

    def plan(one: Call) -> None:
        if pauses(one):
            (lease,) = world.leases()
            world.memory._rows[lease.key] = replace(lease, **moved)

    world.table.plan = plan
    assert (await world.engine(call)).outcome is None
    assert "approval_requested" not in world.log_types(call.run_id)
    assert world.run(call.run_id).pending == ()


@pytest.mark.parametrize("way", WAYS)
async def test_any_one_call_may_fail(way: Fault | Halt) -> None:
    """Whichever one call of the table fails in an engine that comes to a question, the user is asked once for each
    call, and once they are answered each call is carried out once."""

    async def act(world: World, call: EngineCall) -> None:
        try:
            await world.engine(call)
        except Unsettled:
            assert "approval_requested" not in world.log_types(call.run_id)

    async def check(world: World, call: EngineCall) -> None:
        await world.recover()
        assert world.log_types(call.run_id).count("approval_requested") == 2
        assert world.run(call.run_id).pending == ("c-1", "c-2")
        for name in ("c-1", "c-2"):
            assert (await world.approve(call.run_id, name))["type"] == "approved"
        await world.recover()
        assert assert_ended_once(world, call.run_id) == "agent_completed"
        log = world.log(call.run_id)
        assert [e["payload"]["tool_call_id"] for e in log if e["type"] == "tool_completed"] == ["c-1", "c-2"]
        assert [e["payload"]["reason"] for e in log if e["type"] == "agent_resumed"][-1] == "answered"
        await assert_history(world, call.thread_id)

    assert await walk(way, begin=asked, act=act, check=check) >= 6


async def test_every_attempt_knows_the_claims_of_who_sent_the_message(world: World) -> None:
    """Whoever approves, with whatever token: the engine that goes on has the claims of the run's own message."""
    agent = asking("c-1")
    world.claims = '{"email":"alice@b.example","groups":["admin"]}'
    call = await asked(world, agent)
    await world.engine(call)
    world.claims = '{"email":"later@b.example"}'
    await world.approve(call.run_id, "c-1")
    await world.serve()
    assert assert_ended_once(world, call.run_id) == "agent_completed"
    expected = {"email": "alice@b.example", "groups": ("admin",)}
    assert [turn.context.claims for turn in agent.turns] == [expected, expected]
    assert "b.example" not in str([world.log(call.run_id), world.sockets.frames, world.invoker.calls])


async def test_queued_and_recovered_runs_keep_their_claims(world: World) -> None:
    """A message that waited, and a run whose engine died, are gone on with as they were sent; a token without chosen
    claims has none."""
    agent = Programme(Round("One.", think_s=5))
    world.claims = '{"name":"first"}'
    call = await world.killed(agent)
    world.claims = '{"name":"second"}'
    await world.queued(call)
    world.claims = None
    await world.queued(call)
    await world.recover()
    assert [turn.context.claims for turn in agent.turns] == [
        {"name": "first"},
        {"name": "first"},
        {"name": "second"},
        {},
    ]
