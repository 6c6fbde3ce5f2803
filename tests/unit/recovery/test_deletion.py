"""Deleting a forgotten thread, a bounded number of rows in each sweep."""

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator, Mapping

import pytest

from dayfly.agents.sdk.protocol import AgentEvent, Answered, Delta, Responded, Turn
from dayfly.errors import Unsettled
from dayfly.log.messages import AssistantSaid
from dayfly.recovery.deletion import MOST_ROWS, QUIET_MS
from dayfly.runs.invoker import EngineCall
from dayfly.store.keys import Key
from dayfly.store.rows import (
    CancelRow,
    ConnectionRow,
    ForgetRow,
    HistoryRow,
    LogRow,
    NoteRow,
    PartRow,
    QuotaRow,
    RequestRow,
    Row,
    SocketRow,
)
from dayfly.store.table import Put
from tests.fakes.agents import Programme, Round, asking, silent
from tests.fakes.faulty_table import Call, Fault, Halt, rows_of
from tests.fakes.walk import WAYS, walk
from tests.fakes.world import World, assert_ended_once

QUIET_S = QUIET_MS / 1000
STAYS = (RequestRow, QuotaRow, SocketRow, ConnectionRow, NoteRow)
"""What belongs to the user, or goes by its TTL, not to the thread."""
LONG = "".join(chr(0x4E00 + (n * 7919) % 20_000) for n in range(120_000))


async def long(turn: Turn) -> AsyncIterator[AgentEvent]:
    """Says more than one item holds: journal and history lie in parts."""
    yield Delta(LONG)
    yield Responded(AssistantSaid(LONG))
    yield Answered(LONG)


async def forgotten(world: World, *, runs: int = 2, unposted: bool = False) -> EngineCall:
    """A thread with history, attached devices and ended runs, that was forgotten. With `unposted`, a device never takes
    anything, so that the ended runs have their leases still."""
    await world.connect("a1")
    await world.memory.write(Put(NoteRow(user_id="u-alice", note_id="n", text="Keep.", at=1)))
    call = await world.admitted()
    if unposted:
        await world.ask("attach", thread_id=call.thread_id, connection="stuck")
        world.sockets.refuse["stuck"] = Unsettled("throttled")
    await world.serve()
    for _ in range(runs - 1):
        await world.admitted("More.", thread_id=call.thread_id)
        await world.serve()
    await world.ask("attach", thread_id=call.thread_id, connection="a2")
    await world.ask("forget", thread_id=call.thread_id)
    return call


def left(world: World) -> Mapping[Key, Row]:
    """What is in the table besides what stays."""
    return {key: row for key, row in world.memory.rows.items() if not isinstance(row, STAYS)}


async def swept(world: World, *, minutes: int) -> None:
    """A sweep a minute."""
    for _ in range(minutes):
        await asyncio.sleep(60)
        await world.sweep()


async def test_nothing_is_deleted_for_seventeen_minutes(world: World) -> None:
    """Until then an invocation may live that would write: on both sides of the time."""
    call = await forgotten(world)
    before = left(world)
    await swept(world, minutes=16)
    (deletion,) = world.rows(ForgetRow)
    assert deletion.due - max(deletion.at, world.thread(call.thread_id).updated) == QUIET_MS == 17 * 60 * 1000
    await asyncio.sleep((deletion.due - world.clock.now_ms()) / 1000)
    await world.sweep()
    assert left(world) == {**before, deletion.key: deletion}
    await asyncio.sleep(0.001)
    await world.sweep()
    assert left(world) == {}


async def test_the_time_counts_from_the_last_end(world: World) -> None:
    """Where a run of the forgotten thread ended later, its engine's time counts."""
    world.agents.scripts["assistant"] = silent
    call = await world.admitted()
    engine = world.starts(call)
    await asyncio.sleep(1)
    world.table.plan = lambda one: Fault.REFUSED if one.method == "query_live" else None  # deaf to its mark
    await world.ask("forget", thread_id=call.thread_id)
    await swept(world, minutes=3)
    world.table.plan = lambda one: None
    await asyncio.sleep(1)
    assert (await engine).outcome == "cancelled"
    ended = world.clock.monotonic()
    while left(world) and world.clock.monotonic() < ended + 7200:
        assert world.rows(LogRow) or world.clock.monotonic() - ended > QUIET_S
        await swept(world, minutes=1)
    assert left(world) == {}
    assert QUIET_S <= world.clock.monotonic() - ended <= QUIET_S + 120


async def test_what_is_left_is_the_users_and_not_the_threads(world: World) -> None:
    """No row is left but request ids, quota, sockets and notes; another thread and another user lose nothing."""
    other = await world.admitted("Another thread.")
    await world.admitted("Another user.", user="u-bob", connection="b1")
    await world.serve()
    kept = dict(world.memory.rows)
    await forgotten(world)
    await swept(world, minutes=20)
    assert {key for key in kept if not isinstance(kept[key], QuotaRow)} <= set(world.memory.rows)
    for key in set(world.memory.rows) - set(kept):
        assert isinstance(world.memory.rows[key], STAYS), key
    assert (await world.ask("history", thread_id=other.thread_id))["messages"]
    assert len(world.rows(NoteRow)) == 1


async def test_long_values_go_with_their_thread(world: World) -> None:
    """The parts of journals and of history are deleted with what counts them, also those that nothing counts."""
    world.agents.scripts["assistant"] = long
    call = await forgotten(world, runs=1)
    (piece,) = world.rows(HistoryRow)
    orphan = PartRow(user_id="u-alice", owner=piece.key.sk.rsplit("#", 1)[0] + "#lost", part=0, data=b"x")
    await world.memory.write(Put(orphan))
    owners = Counter(row.owner.split("#")[0] for row in world.rows(PartRow))
    assert owners["LOG"] >= 1
    assert owners["HIST"] >= 2
    await swept(world, minutes=20)
    assert left(world) == {}
    assert (await world.ask("attach", thread_id=call.thread_id))["code"] == "thread_not_found"


async def test_a_long_thread_is_deleted_over_several_sweeps(world: World) -> None:
    """One sweep takes two thousand rows; the next goes on, until all are gone."""
    assert MOST_ROWS == 2_000
    call = await forgotten(world, runs=1)
    for number in range(4_000):
        row = PartRow(user_id="u-alice", owner=f"HIST#{call.thread_id}#{number:08d}#r#n", part=0, data=b"x")
        world.memory._rows[row.key] = row
    counts: list[int] = []
    while left(world):
        await swept(world, minutes=1)
        counts.append(len(world.rows(PartRow)))
        assert len(counts) < 30
    assert len(set(counts)) >= 3
    assert counts == sorted(counts, reverse=True)


@pytest.mark.parametrize("state", ["queued", "not begun", "waiting"])
async def test_what_a_dead_router_left_undone_is_done_first(world: World, state: str) -> None:
    """Runs that wait in the queue, for an engine or for their user are ended within a minute, and posted."""
    world.agents.scripts["assistant"] = silent if state == "queued" else asking("c-1")
    call = await world.admitted()
    runs = [call.run_id]
    engine = None
    if state != "not begun":
        engine = world.starts(call)
        await asyncio.sleep(1)
    if state == "queued":
        runs.append(await world.queued(call))

    def forgets(one: Call) -> bool:
        return bool(rows_of(one, ForgetRow))

    assert await world.dies(world.ask("forget", thread_id=call.thread_id), forgets, halt=Halt.AFTER)
    await swept(world, minutes=2)
    if engine is not None:
        await asyncio.gather(engine)
    for run in runs:
        assert assert_ended_once(world, run) == "agent_cancelled"
    assert world.rows(CancelRow) == []
    await swept(world, minutes=20)
    assert left(world) == {}


async def test_a_lost_run_is_ended_before_its_thread_is_deleted(world: World) -> None:
    """An engine that died at work on a forgotten thread: its run ends, and 17 minutes later all is gone."""
    call = await world.killed(silent)
    world.agents.scripts["assistant"] = Programme(Round("Never."))
    await world.ask("forget", thread_id=call.thread_id)
    await swept(world, minutes=2)
    assert assert_ended_once(world, call.run_id) == "agent_cancelled"
    assert len(world.invoker.calls) == 1
    await swept(world, minutes=20)
    assert left(world) == {}


async def test_a_deletion_without_a_forgotten_thread_is_dropped(world: World) -> None:
    """A row that drives nothing, or that stands for a live thread, goes; the thread does not."""
    call = await world.admitted()
    await world.serve()
    for thread in (call.thread_id, "t-none"):
        await world.memory.write(
            Put(ForgetRow(user_id="u-alice", thread_id=thread, lease_shard="LEASES#0", due=0, at=0))
        )
    before = set(world.memory.rows)
    await world.sweep()
    assert before - set(world.memory.rows) == {key for key in before if key.sk.startswith("FORGET#")}


async def test_sweeps_at_once_delete_a_thread_together(world: World) -> None:
    """Several at once do no harm."""
    await forgotten(world)
    await swept(world, minutes=2)
    await asyncio.sleep(QUIET_S)
    await asyncio.gather(*(world.sweep() for _ in range(3)))
    assert left(world) == {}


@pytest.mark.parametrize("way", WAYS)
async def test_any_one_call_may_fail(way: Fault | Halt) -> None:
    """Whichever one call of the table fails in the sweep that deletes, or wherever it dies: the next ones finish."""

    async def begin(world: World) -> EngineCall:
        call = await forgotten(world)
        await swept(world, minutes=2)
        await asyncio.sleep(QUIET_S)
        return call

    async def act(world: World, call: EngineCall) -> None:
        try:
            await world.sweep()
        except ExceptionGroup:
            assert left(world) != {}

    async def check(world: World, call: EngineCall) -> None:
        for _ in range(3):
            await swept(world, minutes=1)
        assert left(world) == {}
        assert world.rows(NoteRow) != []

    assert await walk(way, begin=begin, act=act, check=check) >= 25


@pytest.mark.parametrize("way", Fault)
async def test_any_one_call_may_fail_for_as_long_as_a_sweep_takes(way: Fault) -> None:
    """Whichever call of the deletion it is that fails however often it is repeated: what it was to delete is not left
    behind, since what leads to it is still there."""
    number = failed = 0
    while number == failed:
        world = World()
        await forgotten(world, unposted=True)
        await swept(world, minutes=2)
        await asyncio.sleep(QUIET_S)
        assert world.leases() != []
        at = len(world.table.calls) + number
        failing: list[Call] = []

        def plan(call: Call, at: int = at, failing: list[Call] = failing) -> Fault | None:
            if call.number == at:
                failing.append(call)
            return way if failing and (call.method, call.actions) == (failing[0].method, failing[0].actions) else None

        world.table.plan = plan
        with contextlib.suppress(ExceptionGroup):
            await world.sweep()
        world.table.plan = lambda call: None
        failed += bool(failing)
        for _ in range(3):
            await swept(world, minutes=1)
        assert left(world) == {}, failing
        number += 1
    assert failed >= 25


async def test_every_sweep_may_die(world: World) -> None:
    """One that comes only as far as its next write each time still comes to the end: what leads to others goes last."""
    await forgotten(world)
    await swept(world, minutes=2)
    await asyncio.sleep(QUIET_S)
    deaths = 0
    while left(world):
        assert deaths < 200
        before = set(left(world))
        await world.dies(world.sweep(), lambda call: call.method == "write", halt=Halt.AFTER)
        assert set(left(world)) < before or any(key.sk.startswith("FORGET#") for key in before)
        await asyncio.sleep(60)
        deaths += 1
    assert deaths >= 3
