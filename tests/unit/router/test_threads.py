"""The list of a user's threads, in pages."""

from dataclasses import replace
from typing import Any

import pytest

from dayfly.context.ids import new_run_id
from dayfly.protocol.limits import TITLE_CHARS
from dayfly.protocol.replies import ThreadItem
from dayfly.router import threads
from dayfly.router.threads import THREADS_BYTES
from dayfly.store.rows import QUEUE_LENGTH, ThreadRow, ThreadState
from tests.fakes.sockets import JsonObject
from tests.fakes.world import World

FRAME = 32 * 1024


def put_threads(world: World, count: int, **fields: Any) -> list[str]:
    names = [f"t-{n:04d}" for n in range(count)]
    for name in names:
        row = replace(ThreadRow(user_id="u-alice", thread_id=name, title="😀" * 60, created=0, updated=0), **fields)
        world.memory._rows[row.key] = row
    return names


async def read_threads(world: World) -> list[list[JsonObject]]:
    """All pages, by following the cursors."""
    pages: list[list[JsonObject]] = []
    cursor: JsonObject = {}
    while True:
        page = await world.ask("threads", **cursor)
        pages.append(page["items"])
        if "cursor" not in page:
            return pages
        cursor = {"cursor": page["cursor"]}


@pytest.mark.parametrize("count", [0, 1, 49, 50, 51, 100, 101, 123])
async def test_threads_come_in_pages(world: World, count: int) -> None:
    """Following the cursors, a client gets each thread once, newest first, every page within a frame."""
    names = put_threads(world, count)
    pages = await read_threads(world)
    assert [item["thread_id"] for page in pages for item in page] == names[::-1]
    assert len(pages) == max(1, -(-count // 50))
    assert all(len(frame) <= FRAME for frame in world.sockets.frames["a1"])


@pytest.mark.parametrize("character", ["x", "é", "😀", '"', "\n"])
async def test_threads_with_long_titles_and_queues_come_in_pages_that_fit(world: World, character: str) -> None:
    """A page ends before the thread that would take it over a frame, and the next one begins with it."""
    runs = tuple(new_run_id(number) for number in range(QUEUE_LENGTH + 1))
    names = put_threads(world, 120, title=character * TITLE_CHARS, active_run=runs[0], queue=runs[1:])
    pages = await read_threads(world)
    assert [item["thread_id"] for page in pages for item in page] == names[::-1]
    assert all(len(frame) <= FRAME for frame in world.sockets.frames["a1"])
    sizes = [len(ThreadItem(**item).encode()) + 1 for item in pages[0]]
    assert sum(sizes) <= THREADS_BYTES < sum(sizes) + sizes[0]


@pytest.mark.parametrize(("over", "pages"), [(0, [3]), (1, [2, 1])])
async def test_a_page_of_threads_is_bounded_in_bytes(
    world: World, monkeypatch: pytest.MonkeyPatch, over: int, pages: list[int]
) -> None:
    """Both sides of the bound: three threads of just so many bytes, and of one byte more."""
    put_threads(world, 3)
    (items,) = await read_threads(world)
    size = sum(len(ThreadItem(**item).encode()) + 1 for item in items)
    monkeypatch.setattr(threads, "THREADS_BYTES", size - over)
    assert [len(page) for page in await read_threads(world)] == pages


async def test_a_thread_that_is_over_the_bound_by_itself_has_a_page_of_its_own(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No page is empty for lack of room, so that a client comes to the end."""
    names = put_threads(world, 3)
    monkeypatch.setattr(threads, "THREADS_BYTES", 1)
    assert [[item["thread_id"] for item in page] for page in await read_threads(world)] == [[n] for n in names[::-1]]


async def test_forgotten_threads_take_no_room(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """They are passed over, between two threads that fill a page and at its end."""
    names = put_threads(world, 6)
    (items,) = await read_threads(world)
    monkeypatch.setattr(threads, "THREADS_BYTES", 2 * (len(ThreadItem(**items[0]).encode()) + 1))
    for name in (names[1], names[3], names[4]):
        row = replace(world.thread(name), state=ThreadState.FORGOTTEN)
        world.memory._rows[row.key] = row
    pages = await read_threads(world)
    assert [[item["thread_id"] for item in page] for page in pages] == [[names[5], names[2]], [names[0]]]


async def test_a_thread_in_the_list(world: World) -> None:
    """An item tells title, time and the run under way; another user's list is empty."""
    call = await world.admitted("What is new?")
    page = await world.ask("threads")
    assert page["items"] == [
        {
            "thread_id": call.thread_id,
            "title": "What is new?",
            "updated_at": "2025-11-24T16:00:00.000Z",
            "active_run": call.run_id,
            "queue": [],
            "version": 1,
            "state": "live",
        }
    ]
    assert (await world.ask("threads", user="u-bob", connection="b1"))["items"] == []
