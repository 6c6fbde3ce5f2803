"""Telling all of a user's sockets of a changed thread."""

import asyncio
from dataclasses import replace

import pytest

from dayfly.context.ids import new_run_id
from dayfly.errors import PostRefused, Unsettled
from dayfly.protocol.limits import FRAME_BYTES, TITLE_CHARS
from dayfly.publisher.announcer import PATIENCE_S, Announcer
from dayfly.publisher.audience import MOST_SOCKETS
from dayfly.runlog.queueing import QUEUE_LENGTH
from dayfly.runlog.rows import SocketRow, ThreadRow
from tests.fakes.faulty_table import Fault
from tests.fakes.world import World

THREAD = ThreadRow(
    user="u-alice", thread="t-1", title="Plans", created=0, updated=0, version=7, active_run="r-1", queue=("r-2",)
)


def announcer(world: World) -> Announcer:
    return Announcer(table=world.table, poster=world.sockets)


async def test_every_socket_of_the_user_is_told(world: World) -> None:
    """Each is sent the thread as it is now, attached or not; another user's socket is sent nothing."""
    for connection, user in (("a1", "u-alice"), ("a2", "u-alice"), ("b1", "u-bob")):
        await world.connect(connection, user=user)
    await announcer(world).thread_changed(THREAD)
    for connection in ("a1", "a2"):
        assert world.sockets.received(connection) == [
            {
                "type": "thread_changed",
                "thread": {
                    "thread_id": "t-1",
                    "title": "Plans",
                    "updated_at": "1970-01-01T00:00:00.000Z",
                    "active_run": "r-1",
                    "queue": ["r-2"],
                    "version": 7,
                    "state": "live",
                },
            }
        ]
    assert world.sockets.received("b1") == []


async def test_the_longest_announcement_fits_into_a_frame(world: World) -> None:
    """The longest title, and a full queue."""
    await world.connect("a1")
    runs = tuple(new_run_id(number) for number in range(QUEUE_LENGTH))
    thread = replace(THREAD, title="😀" * TITLE_CHARS, queue=runs)
    await announcer(world).thread_changed(thread)
    (frame,) = world.sockets.frames["a1"]
    assert len(frame) < FRAME_BYTES / 10


async def test_a_socket_that_left_is_forgotten(world: World) -> None:
    """Its row goes; the others are told all the same."""
    for connection in ("a1", "a2", "a3"):
        await world.connect(connection)
    world.sockets.gone.add("a1")
    world.sockets.refuse["a2"] = PostRefused("forbidden")
    await announcer(world).thread_changed(THREAD)
    assert world.sockets.types("a3") == ["thread_changed"]
    assert [row.connection for row in world.rows(SocketRow)] == ["a2", "a3"]


async def test_a_socket_that_hangs_holds_nothing_back_for_longer_than_its_time(world: World) -> None:
    """After 3 s the announcement is given up; those that answered have it."""
    for connection in ("a1", "a2"):
        await world.connect(connection)
    world.sockets.delays["a1"] = 3600
    started = world.clock.monotonic()
    await announcer(world).thread_changed(THREAD)
    assert world.clock.monotonic() - started == PATIENCE_S
    assert world.sockets.types("a2") == ["thread_changed"]


async def test_sockets_that_can_not_be_read_are_not_told(world: World) -> None:
    """No trouble of a port reaches whoever announces."""
    await world.connect("a1")
    world.table.plan = lambda call: Fault.REFUSED
    await announcer(world).thread_changed(THREAD)
    world.table.plan = lambda call: None
    world.sockets.refuse["a1"] = Unsettled("throttled")
    await announcer(world).thread_changed(THREAD)
    assert world.sockets.received("a1") == []


async def test_a_gone_socket_that_can_not_be_removed_keeps_no_other_from_being_told(world: World) -> None:
    """Nothing of an announcement goes on when it has returned."""
    for connection in ("a1", "a2", "a3"):
        await world.connect(connection)
    world.sockets.gone.add("a1")
    world.sockets.delays["a3"] = 1.0
    world.table.plan = lambda call: Fault.REFUSED if call.method == "write" else None
    await announcer(world).thread_changed(THREAD)
    assert [len(world.sockets.received(connection)) for connection in ("a1", "a2", "a3")] == [0, 1, 1]


async def test_at_most_so_many_sockets_are_told(world: World) -> None:
    """Both sides of the bound."""
    for number in range(MOST_SOCKETS + 1):
        await world.connect(f"c{number:03d}")
    await announcer(world).thread_changed(THREAD)
    told = [number for number in range(MOST_SOCKETS + 1) if world.sockets.frames[f"c{number:03d}"]]
    assert told == list(range(MOST_SOCKETS))


@pytest.mark.parametrize("gone", [1, MOST_SOCKETS - 1, MOST_SOCKETS, 3 * MOST_SOCKETS])
@pytest.mark.parametrize("stays", [False, True])
async def test_sockets_that_are_gone_take_nobody_s_place(world: World, gone: int, *, stays: bool) -> None:
    """However many stand before the one that is there, and whether or not their rows can be removed: it is told, once;
    each that is gone is tried once, and read once."""
    names = [f"c{number:03d}" for number in range(gone)]
    for connection in (*names, "z1"):
        await world.connect(connection)
    world.sockets.gone |= set(names)
    world.table.plan = lambda call: Fault.REFUSED if stays and call.method == "write" else None
    before = len(world.table.calls)
    await announcer(world).thread_changed(THREAD)
    assert world.sockets.types("z1") == ["thread_changed"]
    assert {world.sockets.tried[name] for name in names} == {1}
    assert sum(call.method == "query" for call in world.table.calls[before:]) == 1 + (gone + 1) // MOST_SOCKETS
    assert len(world.rows(SocketRow)) == (gone + 1 if stays else 1)


async def test_a_thread_is_announced_when_it_is_new_and_whenever_its_queue_moves(world: World) -> None:
    """A second device that attached nothing follows the list: each change once, with growing versions."""
    await world.connect("a2")
    call = await world.admitted()
    first = await world.queued(call)
    second = await world.queued(call)
    await world.ask("cancel", run_id=second)
    await world.serve()
    changes = [frame["thread"] for frame in world.sockets.received("a2", "thread_changed")]
    assert [(change.get("active_run"), change["queue"]) for change in changes] == [
        (call.run, []),
        (call.run, [first]),
        (call.run, [first, second]),
        (call.run, [first]),
        (first, []),
    ]
    versions = [change["version"] for change in changes]
    assert versions == sorted(set(versions))


async def test_a_message_that_moves_no_queue_is_not_announced(world: World) -> None:
    """A further message in an idle thread, and its end, change nothing that a list shows but the time."""
    await world.connect("a2")
    call = await world.admitted()
    await world.serve()
    await world.admitted("More.", thread_id=call.thread)
    await world.serve()
    await asyncio.sleep(1)
    assert len(world.sockets.received("a2", "thread_changed")) == 1
