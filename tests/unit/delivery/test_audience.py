"""Who watches a thread, and whose end is wanted."""

from dataclasses import replace

import pytest

from dayfly.delivery.audience import MOST_SOCKETS, Audience, read_audience
from dayfly.runs.admit import attached, cancel_mark
from dayfly.runs.queue import QUEUE_LENGTH
from dayfly.store.rows import ThreadRow
from tests.fakes.world import World, caller


def put_sockets(world: World, thread: str, count: int) -> tuple[str, ...]:
    names = tuple(f"c{number:03d}" for number in range(count))
    for name in names:
        row = attached(caller(connection=name), thread, now=world.clock.now_ms())
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
    row = replace(attached(caller("u-bob", "b1"), call.thread_id, now=0), user_id="u-bob")
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
    assert found == Audience(names[:MOST_SOCKETS], frozenset(wanted))


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
