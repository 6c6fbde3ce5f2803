"""Reading the past: threads and messages."""

from collections.abc import AsyncIterator

import pytest

from dayfly.agents.protocol import AgentEvent, Answered, Delta, Responded, Turn
from dayfly.runlog.messages import AssistantSaid
from dayfly.runlog.rows import ThreadRow
from tests.fakes.sockets import JsonObject
from tests.fakes.world import World

FRAME = 32 * 1024


def put_threads(world: World, count: int) -> list[str]:
    names = [f"t-{n:04d}" for n in range(count)]
    for name in names:
        row = ThreadRow(user="u-alice", thread=name, title="😀" * 60, created=0, updated=0)
        world.memory._rows[row.key] = row
    return names


@pytest.mark.parametrize("count", [0, 1, 49, 50, 51, 100, 101, 123])
async def test_threads_come_in_pages(world: World, count: int) -> None:
    """Following the cursors, a client gets each thread once, newest first, every page within a frame."""
    names = put_threads(world, count)
    got: list[str] = []
    cursor: JsonObject = {}
    pages = 0
    while True:
        page = await world.ask("threads", **cursor)
        pages += 1
        got += [item["thread_id"] for item in page["items"]]
        if "cursor" not in page:
            break
        cursor = {"cursor": page["cursor"]}
    assert got == names[::-1]
    assert pages == max(1, -(-count // 50))
    assert all(len(frame) <= FRAME for frame in world.sockets.frames["a1"])


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
