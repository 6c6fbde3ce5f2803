"""Opening a run's next attempt: one transaction, after which no earlier engine can write."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from dayfly.delivery.bridge import WebSocketBridge
from dayfly.errors import PortError, Superseded, Unsettled
from dayfly.log.fold import Began, Said, Voided
from dayfly.log.journal import JournalEntry
from dayfly.log.messages import AssistantSaid, Decision, ToolAnswered
from dayfly.log.reader import steps_of, tail_of
from dayfly.log.writer import RECORD_ALONE
from dayfly.protocol.events import AgentResumed
from dayfly.runs.lease import as_read
from dayfly.runs.resume import OpenAttempt, open_attempt, void_after
from dayfly.store.rows import LeaseRow, LogRow, RunRow
from dayfly.store.table import Absent, Matches, Put
from tests.fakes.agents import Programme, Round, silent
from tests.fakes.faulty_table import Call, Fault, Halt, rows_of
from tests.fakes.walk import WAYS, walk
from tests.fakes.world import World, assert_ended_once, assert_history
from tests.unit.delivery.support import Stage, item
from tests.unit.runs.support import landing

RESUMED = AgentResumed(attempt=2, reason="engine_lost", discard_after=1)
TAIL = 4
DONE = JournalEntry(5, AssistantSaid("Done."))


async def dead(world: World) -> Stage:
    """A run whose engine has died at seq 4."""
    return Stage(world, await world.killed(silent))


def fence_of(stage: Stage, **changes: int) -> OpenAttempt:
    (lease,) = stage.world.leases()
    later = replace(stage.run, **changes)  # type: ignore[arg-type]  # only counters are changed
    return OpenAttempt(run=stage.run, later=later, lease_is=lambda: Matches(**as_read(lease)))


def bridge_at(stage: Stage, seq: int) -> WebSocketBridge:
    return stage.bridge(stage.writer(next_seq=seq))


async def test_a_fence_is_one_transaction(world: World) -> None:
    """The record, the run's next attempt and its waiting lease are written together; the next engine begins at the seq
    behind the record, and with nothing pending."""
    stage = await dead(world)
    before, (lease,) = stage.run, world.leases()
    world.memory._rows[before.key] = before = replace(before, pending=("c",), answers=("{}",), answered=1)
    fence = fence_of(stage, resumes=1, spent_ms=700)
    async with bridge_at(stage, TAIL + 1) as bridge:
        committed = await bridge.commit(RESUMED, fence, last=True)
    (write,) = [call for call in world.table.calls if call.method == "write" and len(call.actions) == 3][-1:]
    assert [type(action.row) for action in write.actions if isinstance(action, Put)] == [LogRow, RunRow, LeaseRow]
    opened = replace(before, attempt=2, first_seq=TAIL + 2, resumes=1, spent_ms=700, pending=(), answers=(), answered=0)
    assert stage.run == committed.result == opened
    (waiting,) = world.leases()
    assert (waiting.state, waiting.attempt, waiting.first_seq, waiting.nonce) == ("waiting", 2, TAIL + 2, "")
    assert waiting.activated == world.clock.now_ms() > lease.activated


async def test_what_was_said_before_moves_the_next_engines_seq(world: World) -> None:
    """Text that goes into the same batch is counted: the attempt begins behind the whole of it."""
    stage = await dead(world)
    fence = fence_of(stage)
    async with bridge_at(stage, TAIL + 1) as bridge:
        await bridge.say("a last word")
        await bridge.commit(RESUMED, fence, last=True)
    assert world.log_types(stage.call.run_id)[-2:] == ["agent_delta", "agent_resumed"]
    assert stage.run.first_seq == TAIL + 3


async def test_an_engine_of_the_earlier_attempt_finds_its_seq_taken(world: World) -> None:
    """What it had under way is superseded, whatever it was."""
    stage = await dead(world)
    async with bridge_at(stage, TAIL + 1) as bridge:
        await bridge.commit(RESUMED, fence_of(stage), last=True)
    with pytest.raises(Superseded):
        await stage.writer(next_seq=TAIL + 1).append((item(),), RECORD_ALONE)
    assert world.log_types(stage.call.run_id)[-1] == "agent_resumed"


async def test_of_two_fences_at_once_one_is_written(world: World) -> None:
    """Both are at the same seq, on the same lease: one attempt is opened."""
    stage = await dead(world)

    async def fence() -> RunRow:
        async with bridge_at(stage, TAIL + 1) as bridge:
            return (await bridge.commit(RESUMED, fence_of(stage), last=True)).result

    results = await asyncio.gather(fence(), fence(), return_exceptions=True)
    assert [type(result) for result in results if isinstance(result, Exception)] == [Superseded]
    assert world.log_types(stage.call.run_id).count("agent_resumed") == 1
    assert stage.run.attempt == 2


@pytest.mark.parametrize("moved", [{"attempt": 2}, {"first_seq": 9}, {"answered": 1}])
async def test_a_run_that_moved_is_not_fenced(world: World, moved: dict[str, Any]) -> None:
    """Where another has opened an attempt, or taken an answer, nothing is written."""
    stage = await dead(world)
    fence = fence_of(stage)
    world.memory._rows[stage.run.key] = replace(stage.run, **moved)
    before = dict(world.memory.rows)
    async with bridge_at(stage, TAIL + 1) as bridge:
        with pytest.raises(Superseded):
            await bridge.commit(RESUMED, fence, last=True)
    assert world.memory.rows == before


@pytest.mark.parametrize("moved", [{"due": 1}, {"nonce": "x"}, {"state": "ended"}, {"invoked": 2}])
async def test_a_lease_that_moved_is_not_fenced(world: World, moved: dict[str, Any]) -> None:
    """Where the engine renewed, or another looked after the run, nothing is written."""
    stage = await dead(world)
    (lease,) = world.leases()
    fence = fence_of(stage)
    world.memory._rows[lease.key] = replace(lease, **moved)
    before = dict(world.memory.rows)
    async with bridge_at(stage, TAIL + 1) as bridge:
        with pytest.raises(Superseded):
            await bridge.commit(RESUMED, fence, last=True)
    assert world.memory.rows == before


async def lost(world: World) -> tuple[RunRow, LeaseRow]:
    """A run whose engine has died, and its lease; the next engine would complete it."""
    call = await world.killed(silent)
    world.agents.scripts["assistant"] = Programme(Round("The end."))
    return world.run(call.run_id), world.leases()[0]


def fences(call: Call) -> bool:
    return bool(rows_of(call, RunRow))


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        ((), None),
        ((Said(4, "Well…"),), 1),
        ((Said(4, "Done."), DONE), None),
        ((Said(5, "Done."), DONE), None),
        ((Said(4, "Done."), DONE, Said(6, "So")), 5),
        ((DONE, Began(6, "c")), None),
        ((DONE, Began(6, "c"), JournalEntry(7, ToolAnswered("c", "look", "x")), Said(8, "So")), 7),
        ((Said(4, "Well…"), Voided(1), Said(6, "Again")), 1),
    ],
)
def test_text_behind_the_last_completed_seq_is_void(
    steps: tuple[Said | Voided | Began | JournalEntry, ...], expected: int | None
) -> None:
    """Where there is such text; else nothing is void."""
    assert void_after(steps) == expected


async def test_the_next_attempt_is_opened_shown_and_asked_for(world: World) -> None:
    """Whoever watches is sent `agent_resumed`; an engine is asked for at the seq behind it; the row is given back."""
    run, lease = await lost(world)
    opened = await open_attempt(world.run_writer(), run, lease, "engine_lost", later=replace(run, resumes=1))
    assert world.run(run.run_id) == opened
    event = world.sockets.events("a1")[-1]
    assert (event["type"], event["seq"]) == ("agent_resumed", 5)
    assert event["payload"] == {"attempt": 2, "reason": "engine_lost", "discard_after": 1}
    call = world.invoker.calls[-1]
    assert (call.run_id, call.attempt, call.first_seq) == (run.run_id, 2, 6)


async def test_the_users_decisions_are_noted_with_the_record(world: World) -> None:
    """They are in the journal of the very batch that opens the attempt."""
    run, lease = await lost(world)
    decisions = (Decision("c-1", approved=True), Decision("c-2", approved=False, reason="No."))
    await open_attempt(world.run_writer(), run, lease, "answered", decisions=decisions)
    tail = await tail_of(world.table, user_id=run.user_id, run_id=run.run_id)
    assert tail is not None
    assert (tail.first, tail.last) == (5, 5)
    noted = [
        step
        for step in await steps_of(world.table, user_id=run.user_id, run_id=run.run_id)
        if isinstance(step, JournalEntry)
    ]
    assert noted == [JournalEntry(4, decision) for decision in decisions]


async def test_an_ended_run_is_not_resumed(world: World) -> None:
    """Its log has its terminal event: nothing follows."""
    call = await world.admitted()
    (lease,) = world.leases()
    run = world.run(call.run_id)
    await world.engine(call)
    with pytest.raises(Superseded):
        await open_attempt(world.run_writer(), run, lease, "engine_lost")
    assert_ended_once(world, call.run_id)


async def test_a_lease_that_moved_is_told_at_once(world: World) -> None:
    """Somebody looks after the run: there is nothing to wait for."""
    run, lease = await lost(world)
    world.memory._rows[lease.key] = replace(lease, nonce="another")
    before, started = dict(world.memory.rows), world.clock.monotonic()
    with pytest.raises(Superseded):
        await open_attempt(world.run_writer(), run, lease, "engine_lost")
    assert world.clock.monotonic() == started
    assert world.memory.rows == before


async def test_the_fence_is_written_behind_what_the_dead_engine_had_under_way(world: World) -> None:
    """A batch that lands first stays in the log, and its text is void as well."""
    run, lease = await lost(world)
    world.table.plan = landing(world, run, fences, most=3)
    opened = await open_attempt(world.run_writer(), run, lease, "engine_lost")
    assert world.log_types(run.run_id)[3:] == ["agent_delta"] * 4 + ["agent_resumed"]
    assert opened.first_seq == len(world.log(run.run_id)) + 1
    assert world.log(run.run_id)[-1]["payload"]["discard_after"] == 1


async def test_an_engine_that_writes_on_for_two_seconds_keeps_its_run(world: World) -> None:
    """Then the fence is given up, and the lease stays due."""
    run, lease = await lost(world)
    world.table.plan = landing(world, run, fences)
    started = world.clock.monotonic()
    with pytest.raises(Superseded):
        await open_attempt(world.run_writer(), run, lease, "engine_lost")
    assert 2 <= world.clock.monotonic() - started <= 2.3
    assert world.leases() == [lease]
    assert world.run(run.run_id) == run


@pytest.mark.parametrize("failing", ["audience", "socket", "invoker"])
async def test_the_attempt_is_open_whatever_becomes_of_its_posting(world: World, failing: str) -> None:
    """An audience that cannot be read, a socket that takes for ever and a refused invocation hold nothing back for more
    than 2 s; the sweep asks for the engine."""
    run, lease = await lost(world)
    if failing == "audience":
        world.table.plan = lambda call: Fault.REFUSED if call.method == "query_live" else None
    elif failing == "socket":
        world.sockets.delays["a1"] = 3600
    else:
        world.invoker.fail_with = PortError("throttled")
    started = world.clock.monotonic()
    opened = await open_attempt(world.run_writer(), run, lease, "engine_lost")
    assert world.clock.monotonic() - started <= 2.5  # a pause may be half as long again
    assert (opened.attempt, world.leases()[0].state) == (2, "waiting")
    world.invoker.fail_with = None
    world.sockets.delays.clear()
    world.table.plan = lambda call: None
    await world.recover()
    assert assert_ended_once(world, run.run_id) == "agent_completed"


@pytest.mark.parametrize("way", WAYS)
async def test_any_one_call_may_fail(way: Fault | Halt) -> None:
    """Whichever one call of the table fails while an attempt is opened, it is opened once, now or by the next sweep,
    and its engine completes the run."""

    async def act(world: World, scene: tuple[RunRow, LeaseRow]) -> None:
        try:
            await open_attempt(world.run_writer(), *scene, "engine_lost", later=replace(scene[0], resumes=1))
        except Unsettled:
            assert world.run(scene[0].run_id).attempt == 1

    async def check(world: World, scene: tuple[RunRow, LeaseRow]) -> None:
        await world.recover()
        run = world.run(scene[0].run_id)
        assert (run.attempt, run.resumes) == (2, 1)
        assert world.log_types(run.run_id).count("agent_resumed") == 1
        assert assert_ended_once(world, run.run_id) == "agent_completed"
        assert [str(getattr(message, "text", "")) for message in await assert_history(world, run.thread_id)] == [
            run.text,
            "The end.",
        ]

    assert await walk(way, begin=lost, act=act, check=check) >= 3


async def test_two_at_once_open_one_attempt(world: World) -> None:
    """Recovery twice, or the last answer and the expiry: one opens the attempt, the other is told."""
    run, lease = await lost(world)
    results = await asyncio.gather(
        open_attempt(world.run_writer("i-1"), run, lease, "engine_lost"),
        open_attempt(world.run_writer("i-2"), run, lease, "expired"),
        return_exceptions=True,
    )
    assert [type(result) for result in results if isinstance(result, Exception)] == [Superseded]
    assert world.log_types(run.run_id).count("agent_resumed") == 1
    assert [call.attempt for call in world.invoker.calls] == [1, 2]


async def test_a_lease_that_is_gone_is_not_made_anew(world: World) -> None:
    """Only who makes a run active or opens an attempt writes a lease; a fence needs the one it has read."""
    run, lease = await lost(world)
    del world.memory._rows[lease.key]
    with pytest.raises(Superseded):
        await open_attempt(world.run_writer(), run, lease, "engine_lost")
    await world.memory.write(Put(lease, Absent()))
    assert (await open_attempt(world.run_writer(), run, lease, "engine_lost")).attempt == 2
