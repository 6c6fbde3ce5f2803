"""Reading the past: threads and messages."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest

from dayfly.admission import listing
from dayfly.admission.listing import PAGE_BYTES, PAGE_MESSAGES, PAGE_TURNS, THREADS_BYTES
from dayfly.agents.protocol import AgentEvent, Answered, Delta, Responded, Turn
from dayfly.context.ids import new_run_id
from dayfly.protocol.limits import TITLE_CHARS
from dayfly.protocol.replies import ThreadItem
from dayfly.runlog.messages import AssistantSaid
from dayfly.runlog.queueing import QUEUE_LENGTH
from dayfly.runlog.rows import ThreadRow, ThreadState
from tests.fakes.sockets import JsonObject
from tests.fakes.world import World

FRAME = 32 * 1024


def put_threads(world: World, count: int, **fields: Any) -> list[str]:
    names = [f"t-{n:04d}" for n in range(count)]
    for name in names:
        row = replace(ThreadRow(user="u-alice", thread=name, title="😀" * 60, created=0, updated=0), **fields)
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
    monkeypatch.setattr(listing, "THREADS_BYTES", size - over)
    assert [len(page) for page in await read_threads(world)] == pages


async def test_a_thread_that_is_over_the_bound_by_itself_has_a_page_of_its_own(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No page is empty for lack of room, so that a client comes to the end."""
    names = put_threads(world, 3)
    monkeypatch.setattr(listing, "THREADS_BYTES", 1)
    assert [[item["thread_id"] for item in page] for page in await read_threads(world)] == [[n] for n in names[::-1]]


async def test_forgotten_threads_take_no_room(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """They are passed over, between two threads that fill a page and at its end."""
    names = put_threads(world, 6)
    (items,) = await read_threads(world)
    monkeypatch.setattr(listing, "THREADS_BYTES", 2 * (len(ThreadItem(**items[0]).encode()) + 1))
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
            "thread_id": call.thread,
            "title": "What is new?",
            "updated_at": "2025-11-24T16:00:00.000Z",
            "active_run": call.run,
            "queue": [],
            "version": 1,
            "state": "live",
        }
    ]
    assert (await world.ask("threads", user="u-bob", connection="b1"))["items"] == []


async def read_all(world: World, thread: str) -> tuple[list[JsonObject], int]:
    """All messages, oldest first, by following `before`; pieces of a message joined again."""
    pieces: list[JsonObject] = []
    before: JsonObject = {}
    pages = 0
    while True:
        page = await world.ask("history", thread_id=thread, **before)
        pages += 1
        pieces = page["messages"] + pieces
        if "before" not in page:
            break
        before = {"before": page["before"]}
    messages: list[JsonObject] = []
    for piece in pieces:
        if piece["continued"]:
            messages[-1]["text"] += piece["text"]
        else:
            messages.append(dict(piece))
    return messages, pages


@pytest.mark.parametrize("character", ["x", "é", "😀", '"', "\n"])
async def test_long_messages_come_in_pages_that_fit(world: World, character: str) -> None:
    """Messages of any length and alphabet come back whole, every page within a frame."""
    answer = character * 50_000

    async def long(turn: Turn) -> AsyncIterator[AgentEvent]:
        yield Delta(answer)
        yield Responded(AssistantSaid(answer))
        yield Answered(answer)

    world.agents.scripts["assistant"] = long
    question = "?" + character * 5_000
    call = await world.admitted(question)
    await world.engine(call)
    await world.engine(await world.admitted("short", thread_id=call.thread))
    messages, pages = await read_all(world, call.thread)
    assert [(m["role"], m["text"]) for m in messages] == [
        ("user", question),
        ("assistant", answer),
        ("user", "short"),
        ("assistant", answer),
    ]
    assert pages > 4
    assert all(len(frame) <= FRAME for frame in world.sockets.frames["a1"])


async def test_many_short_messages_come_in_pages(world: World) -> None:
    """Fifty turns come back in order, each page within a frame, none twice."""
    first = await world.admitted("0", agent="echo")
    await world.engine(first)
    for number in range(1, 50):
        await world.engine(await world.admitted(str(number), thread_id=first.thread, agent="echo"))
    messages, pages = await read_all(world, first.thread)
    assert [m["text"] for m in messages if m["role"] == "user"] == [str(n) for n in range(50)]
    assert len(messages) == 100
    assert pages == 3
    assert all(len(frame) <= FRAME for frame in world.sockets.frames["a1"])


async def test_a_page_full_of_messages_and_full_of_text_fits(world: World) -> None:
    """The most messages that a page may have, with as much text as it may have, under the longest request id."""
    text = "x" * (PAGE_BYTES // PAGE_MESSAGES - 2)

    async def saying(turn: Turn) -> AsyncIterator[AgentEvent]:
        yield Responded(AssistantSaid(text))
        yield Answered(text)

    world.agents.scripts["assistant"] = saying
    first = await world.admitted(text)
    await world.engine(first)
    for _ in range(PAGE_TURNS):
        await asyncio.sleep(3)
        await world.engine(await world.admitted(text, thread_id=first.thread))
    page = await world.ask("history", id="q" * 64, thread_id=first.thread)
    assert len(page["messages"]) == PAGE_MESSAGES
    assert "before" in page
    assert FRAME * 0.8 < len(world.sockets.frames["a1"][-1]) <= FRAME


async def test_a_cursor_of_other_make_is_refused(world: World) -> None:
    """A `before` that this backend did not give is `invalid_message`, or at worst an empty page of one's own thread."""
    call = await world.admitted()
    await world.engine(call)
    for made_up in ("x", "1.2.3", "1.00000001.r-x", "-1.00000001.r.n", "1.00000001.r#.n", "é"):
        assert (await world.ask("history", thread_id=call.thread, before=made_up))["code"] == "invalid_message"
    page = await world.ask("history", thread_id=call.thread, before="0.00000001.r-x.n")
    assert page["messages"] == []


async def test_a_thread_without_an_ended_run_has_no_history_yet(world: World) -> None:
    """Until a thread's first run has ended its history is empty; what runs is for `attach`."""
    call = await world.admitted()
    page = await world.ask("history", id="q", thread_id=call.thread)
    assert page == {"type": "history", "id": "q", "thread_id": call.thread, "messages": []}
