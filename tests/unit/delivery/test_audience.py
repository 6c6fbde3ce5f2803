"""Who watches a thread, and whose end is wanted."""

import asyncio
from dataclasses import replace

import pytest

from dayfly.delivery.audience import MOST_SOCKETS, Audience, read_audience
from dayfly.delivery.broadcast import DRAIN_S, Broadcast
from dayfly.delivery.sockets import attachment
from dayfly.engine.audience_watcher import LOOK_S
from dayfly.log.reader import committed_of, tail_of
from dayfly.runs.cancel import cancel_mark
from dayfly.runs.invoker import EngineCall
from dayfly.store.rows import QUEUE_LENGTH, AttachedRow, ThreadRow
from tests.fakes.agents import silent
from tests.fakes.faulty_table import Call, Fault
from tests.fakes.world import World, assert_ended_once, caller


def put_sockets(world: World, thread: str, count: int) -> tuple[str, ...]:
    names = tuple(f"c{number:03d}" for number in range(count))
    for name in names:
        row = attachment(caller(connection=name), thread, now=world.clock.now_ms())
        world.memory._rows[row.key] = row
    return names


async def test_a_thread_that_nobody_watches(world: World) -> None:
    """No sockets, no marks."""
    assert await read_audience(world.table, user_id="u-alice", thread_id="t-1") == Audience((), frozenset())


async def test_another_thread_s_and_another_user_s_are_not_among_them(world: World) -> None:
    """Sockets and marks of the one thread of the one user."""
    call = await world.admitted()
    other = await world.admitted(connection="a2")
    await world.ask("cancel", run_id=other.run_id, connection="a2")
    row = replace(attachment(caller("u-bob", "b1"), call.thread_id, now=0), user_id="u-bob")
    world.memory._rows[row.key] = row
    assert await read_audience(world.table, user_id="u-alice", thread_id=call.thread_id) == Audience(
        ("a1",), frozenset()
    )


@pytest.mark.parametrize("marks", [0, 1, QUEUE_LENGTH + 1])
@pytest.mark.parametrize("sockets", [MOST_SOCKETS, MOST_SOCKETS + 1])
async def test_at_most_so_many_sockets_are_found(world: World, sockets: int, marks: int) -> None:
    """Both sides of the bound, and however many runs are to be cancelled: marks take no socket's place."""
    thread = ThreadRow(user_id="u-alice", thread_id="t-1", title="Plans", created=0, updated=0)
    names = put_sockets(world, thread.thread_id, sockets)
    wanted = [f"r-{number:02d}" for number in range(marks)]
    for run in wanted:
        mark = cancel_mark(thread, run, now=0)
        world.memory._rows[mark.key] = mark
    found = await read_audience(world.table, user_id="u-alice", thread_id=thread.thread_id)
    assert found == Audience(names[:MOST_SOCKETS], frozenset(wanted), more=sockets > MOST_SOCKETS)


async def test_one_socket_too_many_is_told_nothing_live_and_attaches_for_what_it_misses(world: World) -> None:
    """The last socket within the bound sees the run as it goes; the one beyond it has it all after its `attach`."""
    call = await world.admitted()
    await world.ask("detach", thread_id=call.thread_id)
    names = put_sockets(world, call.thread_id, MOST_SOCKETS + 1)
    await world.engine(call)
    log = world.log(call.run_id)
    assert world.sockets.events(names[0]) == world.sockets.events(names[-2]) == log[1:]
    assert world.sockets.events(names[-1]) == []
    await world.ask("attach", connection=names[-1], thread_id=call.thread_id, after={call.run_id: 0})
    assert world.sockets.events(names[-1]) == log


def reads(world: World) -> int:
    """How often somebody's audience was read."""
    return sum(call.method == "query_live" for call in world.table.calls)


async def crowded(world: World, *, gone: int) -> EngineCall:
    """An admitted run in a thread with so many sockets that have left, unknown to anybody, and behind them one that is
    there."""
    call = await world.admitted()
    await world.ask("detach", thread_id=call.thread_id)
    world.sockets.gone |= set(put_sockets(world, call.thread_id, gone))
    row = attachment(caller(connection="z1"), call.thread_id, now=world.clock.now_ms())
    world.memory._rows[row.key] = row
    return call


@pytest.mark.parametrize("gone", [MOST_SOCKETS - 1, MOST_SOCKETS, 3 * MOST_SOCKETS])
@pytest.mark.parametrize("ends", ["router", "engine", "recovery"])
async def test_sockets_that_are_gone_take_nobody_s_place(world: World, ends: str, gone: int) -> None:
    """Whoever ends the run, the one socket that is there is sent the end at once, though its row is the last of all;
    each that is gone is tried once, and then its row goes."""
    call = await crowded(world, gone=gone)
    match ends:
        case "router":
            await world.ask("cancel", run_id=call.run_id)
        case "engine":
            await world.engine(call)
        case _:
            await asyncio.sleep(120)
            await world.sweep()
    assert world.sockets.events("z1")[-1] == world.log(call.run_id)[-1]
    assert assert_ended_once(world, call.run_id, connection=None)
    assert [row.connection_id for row in world.rows(AttachedRow)] == ["z1"]
    assert {world.sockets.tried[name] for name in world.sockets.gone} == {1}
    assert world.leases() == []


@pytest.mark.parametrize(
    ("gone", "more"), [(0, 0), (1, 0), (MOST_SOCKETS - 1, 0), (MOST_SOCKETS, 1), (2 * MOST_SOCKETS, 2)]
)
async def test_the_audience_is_read_again_only_where_the_gone_took_places(world: World, gone: int, more: int) -> None:
    """An end reads it once; once more for each 200 that were gone and may have stood before others; and writes no more
    than one row for each."""
    call = await crowded(world, gone=gone)
    before, wrote = reads(world), sum(call.method == "write" for call in world.table.calls)
    await world.ask("cancel", run_id=call.run_id)
    writes = sum(call.method == "write" for call in world.table.calls) - wrote
    assert reads(world) - before == 1 + more
    assert writes == 4 + gone  # the mark, the piece of history, the end, the lease
    assert sum(world.sockets.tried[name] for name in world.sockets.gone) == gone


async def test_rows_of_the_gone_that_can_not_be_removed_take_nobody_s_place_either(world: World) -> None:
    """Their writers read on behind them."""
    call = await crowded(world, gone=2 * MOST_SOCKETS)

    def stays(call: Call) -> Fault | None:
        return Fault.REFUSED if any("#SOCKET#" in action.key.sk for action in call.actions) else None

    world.table.plan = stays
    await world.engine(call)
    assert world.sockets.events("z1")[-1] == world.log(call.run_id)[-1]
    assert {world.sockets.tried[name] for name in world.sockets.gone} == {1}


@pytest.mark.parametrize("stuck", [0, 1, 49])
async def test_sockets_that_take_nothing_keep_the_end_from_nobody_behind_the_gone(world: World, stuck: int) -> None:
    """Where some have left and some use up the time, who stands behind them is still sent it, in a fifth more of it;
    the sweep posts it again."""
    call = await crowded(world, gone=MOST_SOCKETS)
    slow = [f"c{number:03d}" for number in range(10, 10 + stuck)]
    world.sockets.gone -= set(slow)
    world.sockets.delays |= dict.fromkeys(slow, 60.0)
    started = world.clock.monotonic()
    await world.ask("cancel", run_id=call.run_id)
    assert world.sockets.types("z1") == ["agent_cancelled"]
    assert len(world.leases()) == (1 if stuck else 0)
    assert world.clock.monotonic() - started == (DRAIN_S * 1.2 if stuck else 0)


@pytest.mark.parametrize("takes_s", [DRAIN_S - 0.1, DRAIN_S + 0.5])
async def test_an_audience_that_is_not_read_to_its_end_was_not_sent_all(world: World, takes_s: float) -> None:
    """Where the time is over before all that are gone have made room, though whoever was found has taken it by then:
    the sweep goes on with it."""
    call = await crowded(world, gone=2 * MOST_SOCKETS)
    world.sockets.gone -= {"c000"}
    world.sockets.delays["c000"] = takes_s
    started = world.clock.monotonic()
    await world.ask("cancel", run_id=call.run_id)
    assert world.clock.monotonic() - started == takes_s
    assert world.sockets.types("c000") == ["agent_cancelled"]
    assert (world.sockets.types("z1"), len(world.leases())) == ([], 1)
    world.sockets.delays.clear()
    await asyncio.sleep(120)
    await world.sweep()
    assert (world.sockets.types("z1"), world.leases()) == (["agent_cancelled"], [])


async def test_what_was_read_of_the_audience_is_known_though_the_rest_can_not_be_read(world: World) -> None:
    """Its marks count, and not everybody was sent what was appended."""
    call = await crowded(world, gone=MOST_SOCKETS)
    row = cancel_mark(world.thread(call.thread_id), call.run_id, now=0)
    world.memory._rows[row.key] = row
    first = reads(world) + 1
    world.table.plan = lambda one: Fault.REFUSED if one.method == "query_live" and reads(world) > first else None
    broadcast = Broadcast(world.table, world.sockets, call.ref)
    batch = await tail_of(world.table, user_id="u-alice", run_id=call.run_id)
    assert batch is not None
    broadcast.publish(committed_of(batch))
    seen = await broadcast.flush()
    await broadcast.close()
    assert not seen.posted
    assert seen.audience is not None
    assert seen.audience.cancelled == {call.run_id}


async def test_a_socket_behind_the_gone_follows_the_run_once_they_have_left(world: World) -> None:
    """Within two looks of the engine, not only at its end."""
    call = await crowded(world, gone=MOST_SOCKETS)
    world.agents.scripts["assistant"] = silent
    engine = world.starts(call)
    await asyncio.sleep(2 * LOOK_S + 0.1)
    assert world.sockets.types("z1") == ["agent_heartbeat"]
    await world.ask("cancel", run_id=call.run_id)
    await engine
