"""The end of a run: one transaction, whoever writes it; then it is posted, and the next run starts."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import replace

import pytest

from dayfly.agents.sdk.protocol import AgentEvent, Answered, Delta, Responded, Turn
from dayfly.delivery.broadcast import AUDIENCE_S
from dayfly.errors import ErrorCode, Superseded, Unsettled
from dayfly.history.reader import newest_pieces
from dayfly.log.messages import AssistantSaid, UserSaid
from dayfly.log.reader import steps_of
from dayfly.metrics import Metric
from dayfly.protocol.events import AgentCancelled, AgentError, TerminalPayload
from dayfly.runs.end import End, end_run, finish
from dayfly.runs.lease import as_read
from dayfly.store.rows import (
    AttachedRow,
    HistoryRow,
    LeaseRow,
    LogRow,
    PartRow,
    QuotaRow,
    ThreadRow,
)
from dayfly.store.table import Matches, Put
from tests.fakes.agents import silent
from tests.fakes.faulty_table import Call, Fault, Halt, ends_a_run
from tests.fakes.ports import Measurement
from tests.fakes.walk import WAYS, walk
from tests.fakes.world import World, assert_ended_once, assert_history
from tests.unit.delivery.support import Stage, completed, staged
from tests.unit.runs.support import landing

FAILED = AgentError(code=ErrorCode.ENGINE_LOST, message="Lost.", retryable=True)
BUSY = AgentError(code=ErrorCode.MODEL_FAILED, message="Busy.", retryable=True)


async def test_the_end_is_one_transaction(world: World) -> None:
    """Terminal record, thread, quota and lease are written together; the thread points to the run's history."""
    stage = await staged(world)
    await world.engine(stage.call)
    ends = [
        [type(action.row) for action in call.actions if isinstance(action, Put)]
        for call in world.table.calls
        if call.method == "write" and len(call.actions) > 3
    ]
    assert ends[-1] == [LogRow, ThreadRow, QuotaRow, LeaseRow]
    thread = world.thread(stage.call.thread_id)
    (piece,) = world.rows(HistoryRow)
    assert (thread.active_run, thread.history_head) == (None, piece.key.sk)
    assert world.rows(QuotaRow)[0].active == ()


async def test_the_lease_outlives_the_end_until_it_is_posted(world: World) -> None:
    """Between the end's record and its posting the lease is due in 5 s."""
    stage = await staged(world)
    seen: list[LeaseRow] = []

    def look(call: Call) -> None:
        if world.log_types(stage.call.run_id)[-1] == "agent_completed":
            seen.extend(world.leases())

    world.table.plan = look
    await world.engine(stage.call)
    assert {lease.state for lease in seen} == {"ended"}
    assert {lease.due - world.clock.now_ms() for lease in seen} == {5000}
    assert world.leases() == []


async def test_a_run_is_ended_without_its_engine(world: World) -> None:
    """It keeps its text in the history, and attached sockets are sent the end."""
    stage = await staged(world)
    (lease,) = world.leases()
    assert await end_run(world.run_writer(), stage.run, lease, FAILED)
    assert assert_ended_once(world, stage.call.run_id) == "agent_error"
    assert world.leases() == []
    ((_, messages),) = [
        piece async for piece in newest_pieces(world.table, world.thread(stage.call.thread_id), limit=5)
    ]
    assert messages == (UserSaid("Hi"),)


async def test_an_ended_run_is_not_ended_again(world: World) -> None:
    """A run that has ended already is not ended again; its end is posted again."""
    stage = await staged(world)
    (lease,) = world.leases()
    await end_run(world.run_writer(), stage.run, lease, FAILED)
    assert not await end_run(world.run_writer(), stage.run, lease, FAILED)
    assert world.sockets.types("a1").count("agent_error") == 2
    assert_ended_once(world, stage.call.run_id)


@pytest.mark.parametrize("moved", [{"due": 1}, {"nonce": "x"}, {"state": "held"}, {"first_seq": 9}])
async def test_a_lease_that_moved_keeps_the_run_from_being_ended(world: World, moved: dict[str, str]) -> None:
    """Where the lease is not as it was read, somebody looks after the run: nothing of the end is written."""
    stage = await staged(world)
    (lease,) = world.leases()
    world.memory._rows[lease.key] = replace(lease, **moved)  # type: ignore[arg-type]
    with pytest.raises(Superseded):
        await end_run(world.run_writer(), stage.run, lease, FAILED)
    assert world.log_types(stage.call.run_id) == ["user_message"]
    assert world.thread(stage.call.thread_id).active_run == stage.call.run_id


async def test_a_moved_quota_or_thread_is_read_again(world: World) -> None:
    """Where another run of the user moves the quota meanwhile, the end is built anew, and both count."""
    stage = await staged(world)
    rival: list[str] = []

    def interfere(call: Call) -> None:
        kinds = [type(action.row) for action in call.actions if isinstance(action, Put)]
        if QuotaRow in kinds and not rival:
            rival.append("moved")
            (quota,) = world.rows(QuotaRow)
            moved = replace(quota, version=quota.version + 1, active=(*quota.active, "r-other"))
            world.memory._rows[quota.key] = moved
            thread = world.thread(stage.call.thread_id)
            world.memory._rows[thread.key] = replace(thread, version=thread.version + 1, title="Renamed")

    world.table.plan = interfere
    await world.engine(stage.call)
    assert rival == ["moved"]
    assert_ended_once(world, stage.call.run_id)
    assert world.rows(QuotaRow)[0].active == ("r-other",)
    assert world.thread(stage.call.thread_id).title == "Renamed"


async def test_an_orphan_piece_is_not_history(world: World) -> None:
    """A piece of history that a losing writer left behind is seen by nobody."""
    stage = await staged(world)
    await world.engine(stage.call)
    (piece,) = world.rows(HistoryRow)
    for nonce in ("zzz", "000", "mmm"):
        orphan = replace(piece, nonce=nonce, body=b"not even readable")
        world.memory._rows[orphan.key] = orphan
    await world.engine(await world.admitted("Again", thread_id=stage.call.thread_id))
    page = await world.ask("history", thread_id=stage.call.thread_id)
    assert [message["text"] for message in page["messages"]] == [
        "Hi",
        "The answer is 391.",
        "Again",
        "The answer is 391.",
    ]


async def test_a_long_history_lies_in_parts(world: World) -> None:
    """A run whose messages are too long for one item is read back whole."""
    text = "".join(chr(0x4E00 + (n * 7919) % 20_000) for n in range(120_000))

    async def long(turn: Turn) -> AsyncIterator[AgentEvent]:
        yield Delta(text)
        yield Responded(AssistantSaid(text))
        yield Answered(text)

    world.agents.scripts["assistant"] = long
    stage = await staged(world)
    await world.engine(stage.call)
    assert len(world.rows(PartRow)) >= 2
    ((_, messages),) = [
        piece async for piece in newest_pieces(world.table, world.thread(stage.call.thread_id), limit=5)
    ]
    assert messages == (UserSaid("Hi"), AssistantSaid(text))


@pytest.mark.parametrize("fault", list(Fault))
async def test_any_one_call_may_fail(fault: Fault) -> None:
    """Whichever one call of the table fails while a run is ended without its engine, it ends once or not at all."""
    for number in range(14):
        world = World()
        stage = await staged(world)
        (lease,) = world.leases()
        world.table.fail_once(number, fault)
        try:
            await end_run(world.run_writer(), stage.run, lease, FAILED)
        except Unsettled:
            await end_run(world.run_writer(), stage.run, lease, FAILED)
        assert assert_ended_once(world, stage.call.run_id) == "agent_error"
        assert world.rows(QuotaRow)[0].active == ()


async def test_an_engines_end_makes_the_next_run_active(world: World) -> None:
    """In the one transaction of its end: record, thread, quota, the next one's waiting lease, and its own."""
    stage = await staged(world)
    follower = await world.queued(stage.call)
    await world.engine(stage.call)
    (write,) = [call for call in world.table.calls if ends_a_run(call)]
    kinds = [type(action.row) for action in write.actions if isinstance(action, Put)]
    assert kinds == [LogRow, ThreadRow, QuotaRow, LeaseRow, LeaseRow]
    (lease,) = world.leases()
    assert (lease.run_id, lease.state, lease.first_seq) == (follower, "waiting", 2)
    assert world.thread(stage.call.thread_id).active_run == follower
    assert [call.run_id for call in world.invoker.calls] == [stage.call.run_id, follower]


@pytest.mark.parametrize("way", WAYS)
async def test_any_one_call_of_an_engine_with_others_behind_it_may_fail(way: Fault | Halt) -> None:
    """Whichever one call of the table fails in it, or wherever it dies: it ends once, and so do those behind it."""

    async def begin(world: World) -> list[str]:
        call = await world.admitted(agent="echo")
        return [call.run_id, *[await world.queued(call, agent="echo") for _ in range(2)]]

    async def act(world: World, runs: list[str]) -> None:
        with suppress(Unsettled):
            await world.engine(world.invoker.calls[0])

    async def check(world: World, runs: list[str]) -> None:
        await world.recover()
        for run in runs:
            assert assert_ended_once(world, run) == "agent_completed"
        messages = await assert_history(world, world.run(runs[0]).thread_id)
        assert [message.text for message in messages if isinstance(message, UserSaid)] == [
            "What is 17 * 23?",
            "And this?",
            "And this?",
        ]
        assert world.meter.total(Metric.RUNS_COMPLETED) >= 3 - isinstance(way, Halt)
        assert world.leases() == []

    assert await walk(way, begin=begin, act=act, check=check) >= 11


async def ended(stage: Stage, payload: TerminalPayload) -> None:
    """Ends the stage's run, which nobody has begun, at seq 2."""
    world, run = stage.world, stage.run
    lease = next(lease for lease in world.leases() if lease.run_id == run.run_id)
    end = End(
        world.table,
        run=run,
        steps=lambda: steps_of(world.table, user_id=run.user_id, run_id=run.run_id),
        lease_is=lambda: Matches(**as_read(lease)),
    )
    async with stage.bridge() as bridge:
        await finish(world.run_writer(), bridge, payload, end)


@pytest.mark.parametrize(
    ("payload", "counted"),
    [
        (completed(), Measurement(Metric.RUNS_COMPLETED, 1)),
        (AgentCancelled(execution_time_ms=1), Measurement(Metric.RUNS_CANCELLED, 1)),
        (BUSY, Measurement(Metric.RUNS_FAILED, 1, ErrorCode.MODEL_FAILED)),
    ],
)
async def test_the_outcome_is_counted_by_whoever_writes_the_end(
    world: World, payload: TerminalPayload, counted: Measurement
) -> None:
    """Once, by its kind, a failure with its code; who came second counts nothing."""
    stage = await staged(world)
    results = await asyncio.gather(ended(stage, payload), ended(stage, payload), return_exceptions=True)
    assert [type(result) for result in results if result is not None] == [Superseded]
    outcomes = {Metric.RUNS_COMPLETED, Metric.RUNS_CANCELLED, Metric.RUNS_FAILED}
    assert [one for one in world.meter.taken if one.metric in outcomes] == [counted]


async def test_the_next_run_does_not_wait_for_a_slow_socket(world: World) -> None:
    """Its engine is asked for as soon as the end is committed, while that is still being posted."""
    stage = await staged(world)
    follower = await world.queued(stage.call)
    world.sockets.delays["a1"] = 4
    finishing = asyncio.create_task(ended(stage, completed()))
    await asyncio.sleep(1)
    assert [call.run_id for call in world.invoker.calls] == [stage.call.run_id, follower]
    assert "agent_completed" not in world.sockets.types("a1")
    await finishing
    assert assert_ended_once(world, stage.call.run_id) == "agent_completed"


async def test_a_socket_that_hangs_leaves_the_lease(world: World) -> None:
    """Where the end was not posted to all within 5 s the lease stays, for the sweep."""
    stage = await staged(world)
    world.sockets.delays["a1"] = 3600
    started = world.clock.monotonic()
    await ended(stage, completed())
    assert world.clock.monotonic() - started == 5
    assert [lease.state for lease in world.leases()] == ["ended"]


async def test_an_audience_that_cannot_be_read_leaves_the_lease(world: World) -> None:
    """Whoever watches would miss the end: after 2 s that is left to the sweep, which posts it."""
    stage = await staged(world)
    world.table.plan = lambda call: Fault.REFUSED if call.method == "query_live" else None
    started = world.clock.monotonic()
    await ended(stage, completed())
    assert world.clock.monotonic() - started <= AUDIENCE_S + 0.5, "the last pause may be half as long again"
    assert [lease.state for lease in world.leases()] == ["ended"]
    world.table.plan = lambda call: None
    await asyncio.sleep(6)
    await world.sweep()
    assert assert_ended_once(world, stage.call.run_id) == "agent_completed"
    assert world.leases() == []


async def test_a_socket_that_attaches_between_commit_and_posting_is_sent_the_end(world: World) -> None:
    """The audience is read once more behind the last append."""
    stage = await staged(world)

    def plan(call: Call) -> None:
        if call.method == "query_live":
            row = AttachedRow(
                user_id="u-alice", thread_id=stage.call.thread_id, connection_id="a2", attached=0, expires=2**40
            )
            world.memory._rows[row.key] = row

    world.table.plan = plan
    await ended(stage, completed())
    assert world.sockets.events("a2") == world.log(stage.call.run_id)[-1:]
    assert world.leases() == []


async def test_a_lease_that_is_not_dropped_has_the_end_posted_once_more(world: World) -> None:
    """The last call of the table may fail: the sweep posts the end again, and clients drop it by its seq."""
    stage = await staged(world)

    def plan(call: Call) -> Fault | None:
        ends = world.log_types(stage.call.run_id)[-1] == "agent_completed"
        return Fault.REFUSED if ends and call.method == "write" else None

    world.table.plan = plan
    await ended(stage, completed())
    world.table.plan = lambda call: None
    assert len(world.leases()) == 1
    await asyncio.sleep(6)
    await world.sweep()
    assert world.sockets.types("a1").count("agent_completed") == 2
    assert assert_ended_once(world, stage.call.run_id) == "agent_completed"


async def test_an_engine_that_writes_on_for_two_seconds_keeps_its_run(world: World) -> None:
    """Then the end is given up, and the lease stays due."""
    call = await world.killed(silent)
    run, (lease,) = world.run(call.run_id), world.leases()
    world.table.plan = landing(world, run, ends_a_run)
    started = world.clock.monotonic()
    with pytest.raises(Superseded):
        await end_run(world.run_writer(), run, lease, FAILED)
    assert 2 <= world.clock.monotonic() - started <= 2.5
    assert world.leases() == [lease]
    assert world.thread(call.thread_id).active_run == call.run_id
