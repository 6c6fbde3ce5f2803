"""A thread's history, piece by piece."""

from dataclasses import replace

from dayfly.publisher.past import newest_pieces
from dayfly.runlog.rows import HistoryRow
from tests.fakes.agents import echo
from tests.fakes.world import World


async def test_pieces_of_lost_endings_do_not_shorten_the_history(world: World) -> None:
    """However many a lost ending has left beside the chain, as many pieces come as were asked for."""
    world.agents.scripts["assistant"] = echo
    call = await world.admitted("0")
    await world.serve()
    for number in range(1, 4):
        await world.admitted(str(number), thread_id=call.thread)
        await world.serve()
    kept = world.rows(HistoryRow)
    for row in kept:
        for nonce in "abcdefgh":
            left = replace(row, nonce=f"zz-{nonce}")
            world.memory._rows[left.key] = left
    pieces = await newest_pieces(world.table, world.thread(call.thread), limit=3)
    assert [row for row, _ in pieces] == kept[:0:-1]
