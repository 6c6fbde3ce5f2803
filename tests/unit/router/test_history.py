"""Reading a thread's messages, in pages."""

import asyncio
import json
import random
from collections.abc import AsyncIterator

import pytest

from dayfly.agents.sdk.protocol import AgentEvent, Answered, Delta, Responded, ToolEnded, ToolStarted, Turn
from dayfly.history.chunks import PIECE_BYTES, chunks_of, with_chunks
from dayfly.log.messages import AssistantSaid, Message, ToolAnswered, ToolCall, UserSaid
from dayfly.protocol.events import Finish
from dayfly.router.history import PAGE_BYTES, PAGE_MESSAGES, PAGE_TURNS
from dayfly.store.memory import row_bytes
from dayfly.store.rows import HistoryRow, PartRow, ThreadRow
from dayfly.store.table import Put
from dayfly.text import split_text
from tests.fakes.sockets import JsonObject
from tests.fakes.weighing_table import WeighingTable
from tests.fakes.world import World

FRAME = 32 * 1024


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
    await world.engine(await world.admitted("short", thread_id=call.thread_id))
    messages, pages = await read_all(world, call.thread_id)
    assert [(m["role"], m["text"]) for m in messages] == [
        ("user", question),
        ("assistant", answer),
        ("user", "short"),
        ("assistant", answer),
    ]
    assert pages > 4
    assert all(len(frame) <= FRAME for frame in world.sockets.frames["a1"])


@pytest.mark.parametrize("text", ["Thirty-", "", "x" * 20_000], ids=["short", "empty", "long"])
@pytest.mark.parametrize("finish", list(Finish))
async def test_a_message_says_how_it_ended(world: World, text: str, finish: Finish) -> None:
    """Each piece of an answer says how the model ended it, where it had not said all, also of one without any text."""

    async def ending(turn: Turn) -> AsyncIterator[AgentEvent]:
        yield Responded(AssistantSaid("Let me see.", (ToolCall("c-1", "look", "{}"),)))
        yield ToolStarted("look", "c-1", {})
        yield ToolEnded(ToolAnswered("c-1", "look", "y"), 1)
        yield Responded(AssistantSaid(text, finish=finish))
        yield Answered(text, finish)

    world.agents.scripts["assistant"] = ending
    call = await world.admitted("Hi")
    await world.engine(call)
    page = await world.ask("history", thread_id=call.thread_id)
    user, early, *answer = page["messages"]
    assert "finish" not in user
    assert "finish" not in early
    assert "".join(piece["text"] for piece in answer) == text
    assert bool(answer) is (text != "" or finish is not Finish.COMPLETE)
    told = None if finish is Finish.COMPLETE else finish.value
    assert all(piece.get("finish") == told for piece in answer)


async def test_many_short_messages_come_in_pages(world: World) -> None:
    """Fifty turns come back in order, each page within a frame, none twice."""
    first = await world.admitted("0", agent="echo")
    await world.engine(first)
    for number in range(1, 50):
        await world.engine(await world.admitted(str(number), thread_id=first.thread_id, agent="echo"))
    messages, pages = await read_all(world, first.thread_id)
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
        await world.engine(await world.admitted(text, thread_id=first.thread_id))
    page = await world.ask("history", id="q" * 64, thread_id=first.thread_id)
    assert len(page["messages"]) == PAGE_MESSAGES
    assert "before" in page
    assert FRAME * 0.8 < len(world.sockets.frames["a1"][-1]) <= FRAME


async def test_a_cursor_of_other_make_is_refused(world: World) -> None:
    """A `before` that this backend did not give is `invalid_message`, or at worst an empty page of one's own thread."""
    call = await world.admitted()
    await world.engine(call)
    for made_up in ("x", "1.2.3", "1.00000001.r-x", "-1.00000001.r.n", "1.00000001.r#.n", "é"):
        assert (await world.ask("history", thread_id=call.thread_id, before=made_up))["code"] == "invalid_message"
    page = await world.ask("history", thread_id=call.thread_id, before="0.00000001.r-x.n")
    assert page["messages"] == []


async def test_a_thread_without_an_ended_run_has_no_history_yet(world: World) -> None:
    """Until a thread's first run has ended its history is empty; what runs is for `attach`."""
    call = await world.admitted()
    page = await world.ask("history", id="q", thread_id=call.thread_id)
    assert page == {"type": "history", "id": "q", "thread_id": call.thread_id, "messages": []}


async def told(world: World, *runs: tuple[Message, ...]) -> str:
    """A thread with these ended runs."""
    head: str | None = None
    for place, messages in enumerate(runs, start=1):
        row = HistoryRow(
            user_id="u-alice", thread_id="t-told", place=place, run_id=f"r-{place}", nonce="n", previous=head, at=place
        )
        row = await with_chunks(world.memory, row, chunks_of(messages))
        await world.memory.write(Put(row))
        head = row.key.sk
    thread = ThreadRow(user_id="u-alice", thread_id="t-told", title="", created=0, updated=0, history_head=head)
    await world.memory.write(Put(thread))
    return thread.thread_id


def prose(characters: int, seed: int = 0) -> str:
    """Text that packs as prose does."""
    draw = random.Random(seed)
    words = ["".join(draw.choices("etaoinshrdlu", k=draw.randint(2, 9))) for _ in range(2_000)]
    return " ".join(draw.choice(words) for _ in range(characters // 4))[:characters]


async def weighed(world: World, thread: str) -> tuple[int, int, int, int]:
    """Reads all pages. Gives the bytes stored, those read in all and at most for one page, and the most reads."""
    stored = sum(row_bytes(row) for row in world.memory.rows.values() if isinstance(row, HistoryRow | PartRow))
    read, most, reads = 0, 0, 0
    before: JsonObject = {}
    while True:
        world.table.inner = table = WeighingTable(world.memory)
        page = await world.ask("history", thread_id=thread, **before)
        read, most, reads = read + table.read_bytes, max(most, table.read_bytes), max(reads, table.reads)
        if "before" not in page:
            return stored, read, most, reads
        before = {"before": page["before"]}


@pytest.mark.parametrize("thousands", [20, 40, 80, 160, 320])
async def test_a_long_answer_is_read_about_twice(world: World, thousands: int) -> None:
    """What is read for all pages of an answer grows as the answer does, and a page costs the same in any of them."""
    thread = await told(world, (UserSaid("Hi"), AssistantSaid(prose(thousands * 1_000))))
    stored, read, most, reads = await weighed(world, thread)
    assert read <= 2.5 * stored
    assert most <= 32 * 1024
    assert reads <= 3


@pytest.mark.parametrize(("runs", "characters"), [(30, 20_000), (40, 8_000), (60, 2_000), (80, 100)])
async def test_a_long_thread_is_read_about_twice(world: World, runs: int, characters: int) -> None:
    """Nor does a page read many runs that it does not show."""
    thread = await told(world, *((UserSaid("Hi"), AssistantSaid(prose(characters, n))) for n in range(runs)))
    stored, read, _, reads = await weighed(world, thread)
    assert read <= 3 * stored
    assert reads <= 4


async def test_results_of_tools_are_passed_over(world: World) -> None:
    """A page of history does not read what only a model is given, where that is long."""
    call = AssistantSaid("", (ToolCall("c", "look", "{}"),))
    rounds = (call, ToolAnswered("c", "look", prose(200_000))) * 10
    thread = await told(world, (UserSaid("Hi"), *rounds, AssistantSaid("Done.")))
    stored, read, _, reads = await weighed(world, thread)
    assert stored > 500_000
    assert read < 4_000
    assert reads == 3


def cut_back(messages: list[JsonObject]) -> list[list[str]]:
    """The pages that the pieces make, newest first, by the bounds of a page alone."""
    pages: list[list[str]] = []
    while messages:
        page: list[JsonObject] = []
        size = 0
        for message in reversed(messages):
            size += len(json.dumps(message["text"], ensure_ascii=False).encode())
            runs = {one["run_id"] for one in (*page, message)}
            if page and (size > PAGE_BYTES or len(page) >= PAGE_MESSAGES or len(runs) > PAGE_TURNS):
                break
            page.insert(0, message)
        messages = messages[: -len(page)]
        pages.append([message["text"] for message in page])
    return pages


@pytest.mark.parametrize("seed", range(12))
async def test_pages_are_as_full_as_they_may_be(world: World, seed: int) -> None:
    """However what was said lies in rows and chunks, each page holds as many pieces as fit into it, in order."""
    draw = random.Random(seed)

    def text() -> str:
        return draw.choice(["x", "é", "😀", '"', "\n"]) * draw.choice(
            [1, 1, 50, PIECE_BYTES - 2, PIECE_BYTES - 1, PAGE_BYTES, draw.randrange(1, 60_000)]
        )

    def run() -> tuple[Message, ...]:
        said: list[Message] = [UserSaid(text())]
        for _ in range(draw.choice([0, 1, 1, 3, 50])):
            said.append(AssistantSaid(draw.choice(["", "Hm.", text()]), (ToolCall("c", "look", "{}"),)))
            said.append(ToolAnswered("c", "look", "x" * draw.choice([1, 1_000, 60_000, 150_000])))
        return (*said, AssistantSaid(text()))

    runs = [
        run() if draw.random() < 0.5 else (UserSaid("Hi"), AssistantSaid("Yes?"))
        for _ in range(draw.choice([1, 4, 25]))
    ]
    thread = await told(world, *runs)
    pages: list[list[JsonObject]] = []
    before: JsonObject = {}
    while not pages or before:
        page = await world.ask("history", thread_id=thread, **before)
        pages.append(page["messages"])
        before = {"before": page["before"]} if "before" in page else {}
    whole = [message for page in reversed(pages) for message in page]
    assert [[message["text"] for message in page] for page in pages] == cut_back(whole)
    assert [message["text"] for message in whole] == [
        piece
        for messages in runs
        for message in messages
        if isinstance(message, UserSaid | AssistantSaid)
        for piece in split_text(message.text, PIECE_BYTES)
    ]
    assert all(len(frame) <= FRAME for frame in world.sockets.frames["a1"])


async def test_a_page_may_begin_anywhere(world: World) -> None:
    """A cursor's first number counts the pieces of its run that come before it."""
    thread = await told(world, (UserSaid("Hi"), AssistantSaid("x" * 9 * (PIECE_BYTES - 2))))
    for end in (1, 2, 4, 5, 8, 9, 10, 999_999_999):
        page = await world.ask("history", thread_id=thread, before=f"{end}.00000001.r-1.n")
        stop = min(end, 10)
        assert len(page["messages"]) == min(stop, 4)
        assert page.get("before") == (f"{stop - 4}.00000001.r-1.n" if stop > 4 else None)
