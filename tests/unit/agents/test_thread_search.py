"""Searching the user's own threads."""

import pytest

from dayfly.agents.thread_search import EXCERPT_CHARS, ThreadSearch
from dayfly.ports.memory import MemoryTable
from dayfly.ports.table import Put
from dayfly.runlog.history import pack_history
from dayfly.runlog.messages import AssistantSaid, Message, ToolAnswered, UserSaid
from dayfly.runlog.rows import HistoryRow, PartRow, ThreadRow, ThreadState


async def add(
    table: MemoryTable,
    thread: str,
    *runs: tuple[Message, ...],
    user: str = "u-alice",
    state: str = ThreadState.LIVE,
    parts: int = 0,
) -> None:
    """A thread with these runs, and beside each a piece that an unlucky second writer left."""
    head: str | None = None
    for place, messages in enumerate(runs, 1):
        at = place * 1000
        body = pack_history(messages)
        row = HistoryRow(user=user, thread=thread, place=place, run=f"r-{place}", nonce="n", previous=head, at=at,
                         body=b"" if parts else body, body_parts=parts)  # fmt: skip
        size = -(-len(body) // parts) if parts else 0
        for part in range(parts):
            data = body[part * size : (part + 1) * size]
            await table.write(Put(PartRow(user=user, owner=row.key.sk, part=part, data=data)))
        await table.write(Put(row))
        stray = pack_history((UserSaid("stray Tokyo"),))
        await table.write(Put(HistoryRow(user=user, thread=thread, place=place, run=f"r-{place}", nonce="lost",
                                         previous=head, at=0, body=stray)))  # fmt: skip
        head = row.key.sk
    await table.write(
        Put(
            ThreadRow(
                user=user, thread=thread, title=f"About {thread}", created=0, updated=0, state=state, history_head=head
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
    """A piece of history too long for one row is put together again."""
    table = MemoryTable()
    await add(table, "t-1", (UserSaid("Tokyo"),), parts=2)
    assert [hit.excerpt for hit in await ThreadSearch(table, "u-alice").find("Tokyo", limit=10)] == ["Tokyo"]


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
