"""A thread's history, piece by piece."""

from dataclasses import replace

from dayfly.history.reader import newest_pieces, newest_rows
from dayfly.store.rows import HistoryRow
from tests.fakes.agents import echo
from tests.fakes.world import World


async def test_pieces_of_lost_endings_do_not_shorten_the_history(world: World) -> None:
    """However many a lost ending has left beside the chain, as many pieces come as were asked for."""
    world.agents.scripts["assistant"] = echo
    call = await world.admitted("0")
    await world.serve()
    for number in range(1, 4):
        await world.admitted(str(number), thread_id=call.thread_id)
        await world.serve()
    kept = world.rows(HistoryRow)
    for row in kept:
        for nonce in "abcdefgh":
            left = replace(row, nonce=f"zz-{nonce}")
            world.memory._rows[left.key] = left
    pieces = newest_pieces(world.table, world.thread(call.thread_id), limit=3)
    assert [row async for row, _ in pieces] == kept[:0:-1]


async def test_few_are_read_first(world: World) -> None:
    """Whoever stops early has not read all that there is; whoever goes on needs few calls."""
    world.agents.scripts["assistant"] = echo
    call = await world.admitted("0")
    await world.serve()
    for number in range(1, 12):
        await world.admitted(str(number), thread_id=call.thread_id)
        await world.serve()
    kept = world.rows(HistoryRow)[::-1]
    for limit, sizes in ((1, [1]), (2, [2]), (3, [2, 1]), (8, [2, 6]), (11, [2, 6, 3]), (20, [2, 6, 4])):
        batches = [
            rows async for rows in newest_rows(world.table, world.thread(call.thread_id), limit=limit, at_once=2)
        ]
        assert [len(rows) for rows in batches] == sizes
        assert [row for rows in batches for row in rows] == kept[:limit]
