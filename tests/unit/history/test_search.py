"""Searching the user's own threads."""

import random
from dataclasses import replace

import pytest

from dayfly.history.chunks import chunks_of, with_chunks
from dayfly.history.search import EXCERPT_CHARS, MAX_PIECES, ThreadSearch
from dayfly.log.messages import AssistantSaid, Message, ToolAnswered, ToolCall, UserSaid
from dayfly.store.memory import MemoryTable
from dayfly.store.rows import HistoryRow, PartRow, ThreadRow, ThreadState
from dayfly.store.table import Delete, Put


async def add(
    table: MemoryTable,
    thread: str,
    *runs: tuple[Message, ...],
    user: str = "u-alice",
    state: ThreadState = ThreadState.LIVE,
) -> None:
    """A thread with these runs, and beside each a piece that an unlucky second writer left."""
    head: str | None = None
    for place, messages in enumerate(runs, 1):
        row = HistoryRow(user_id=user, thread_id=thread, place=place, run_id=f"r-{place}", nonce="n", previous=head,
                         at=place * 1000)  # fmt: skip
        row = await with_chunks(table, row, chunks_of(messages))
        await table.write(Put(row))
        (stray,) = chunks_of((UserSaid("stray Tokyo"),))
        await table.write(Put(replace(row, nonce="lost", at=0, shown=(1,), parts=(0,), body=stray.data)))
        head = row.key.sk
    await table.write(
        Put(
            ThreadRow(
                user_id=user,
                thread_id=thread,
                title=f"About {thread}",
                created=0,
                updated=0,
                state=state,
                history_head=head,
            )
        )
    )


async def test_what_either_side_said_is_found_newest_first() -> None:
    """Every word must be there, in any case and order; tools' results and stray pieces are not looked at."""
    table = MemoryTable()
    await add(
        table,
        "t-1",
        (
            UserSaid("What time is it in Tokyo?"),
            ToolAnswered("c", "current_time", "Tokyo time"),
            AssistantSaid("Late."),
        ),
        (UserSaid("Hm."), AssistantSaid("It is a fine TIME to visit tokyo.")),
        (UserSaid("Tokyo!"), AssistantSaid("Yes?")),
    )
    found = await ThreadSearch(table, "u-alice").find("tokyo time", limit=10)
    assert [(hit.said_by, hit.excerpt, hit.at) for hit in found] == [
        ("the assistant", "It is a fine TIME to visit tokyo.", 2000),
        ("you", "What time is it in Tokyo?", 1000),
    ]
    assert found[0].title == "About t-1"


async def test_other_users_and_forgotten_threads_are_not_found() -> None:
    """Only the user's own live threads are looked through."""
    table = MemoryTable()
    await add(table, "t-1", (UserSaid("Tokyo"),), user="u-bob")
    await add(table, "t-2", (UserSaid("Tokyo"),), state=ThreadState.FORGOTTEN)
    assert await ThreadSearch(table, "u-alice").find("tokyo", limit=10) == ()


async def test_a_body_in_parts_is_read() -> None:
    """A piece of history too long for one row is put together again, without what tools gave."""
    table = MemoryTable()
    long = "x" * 7_000 + " Tokyo" + " y" * 100_000
    call = AssistantSaid("", (ToolCall("c", "look", "{}"),))
    answer = ToolAnswered("c", "look", "Tokyo" * 100_000)
    await add(table, "t-1", (UserSaid(long), call, answer, AssistantSaid("In Tokyo."), call, answer))
    found = await ThreadSearch(table, "u-alice").find("Tokyo", limit=10)
    assert [hit.said_by for hit in found] == ["the assistant", "you"]
    assert "xx Tokyo y y" in found[1].excerpt


@pytest.mark.parametrize("gone", [PartRow, HistoryRow])
async def test_what_is_being_deleted_is_passed_over(gone: type[PartRow | HistoryRow]) -> None:
    """Where a part or a piece is gone nothing is found of that piece, or behind it; whole, it was found."""
    table = MemoryTable()
    await add(table, "t-1", (UserSaid("Tokyo"),))
    await add(table, "t-2", (UserSaid("Tokyo again"),), (UserSaid(_incompressible() + " Tokyo"),))
    search = ThreadSearch(table, "u-alice")
    assert [hit.thread_id for hit in await search.find("tokyo", limit=10)] == ["t-2", "t-2", "t-1"]
    lost = [row for row in table.rows.values() if isinstance(row, gone) and _belongs_to_newest_of_t_2(row)]
    assert lost
    await table.write(*(Delete(row.key) for row in lost[:1]))
    found = [(hit.thread_id, hit.excerpt) for hit in await search.find("tokyo", limit=10)]
    assert found == ([("t-2", "Tokyo again")] if gone is PartRow else []) + [("t-1", "Tokyo")]


def _incompressible() -> str:
    return random.Random(5).randbytes(200_000).hex()


def _belongs_to_newest_of_t_2(row: PartRow | HistoryRow) -> bool:
    if isinstance(row, PartRow):
        return True  # only that piece is long enough for parts
    return (row.thread_id, row.place, row.nonce) == ("t-2", 2, "n")


async def test_so_many_runs_are_looked_through() -> None:
    """What lies behind them is not found, in whichever threads they are; what strays beside them does not count."""
    table = MemoryTable()
    await add(table, "t-1", (UserSaid("Osaka"),))
    await add(table, "t-2", (UserSaid("Tokyo"),), *[(UserSaid("Hm."),)] * (MAX_PIECES - 1))
    search = ThreadSearch(table, "u-alice")
    assert len(await search.find("tokyo", limit=10)) == 1
    assert await search.find("osaka", limit=10) == ()


@pytest.mark.parametrize("query", ["", "  ?!", "missing"])
async def test_nothing_to_find(query: str) -> None:
    """No words, or words that nobody said, find nothing."""
    table = MemoryTable()
    await add(table, "t-1", (UserSaid("Tokyo"),))
    assert await ThreadSearch(table, "u-alice").find(query, limit=10) == ()


async def test_results_are_limited_and_cut() -> None:
    """At most as many as asked for, each an excerpt around the first word."""
    table = MemoryTable()
    await add(table, "t-1", *[(UserSaid(f"{'x ' * 500}Tokyo{' y' * 500}"),)] * 5)
    found = await ThreadSearch(table, "u-alice").find("tokyo", limit=2)
    assert len(found) == 2
    assert "Tokyo" in found[0].excerpt
    assert len(found[0].excerpt) <= EXCERPT_CHARS + 2
