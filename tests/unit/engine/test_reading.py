"""What an engine reads before it begins."""

from dataclasses import replace

import pytest

from dayfly.errors import Superseded
from dayfly.history.reader import MODEL_CHARS, MODEL_TURNS, RESULT_CHARS, TURN_CHARS, read_history
from dayfly.history.writer import write_piece
from dayfly.log.messages import AssistantSaid, ToolAnswered, ToolCall, UserSaid
from dayfly.runs.begin import read_run
from dayfly.store.rows import PartRow
from tests.fakes.weighing_table import WeighingTable
from tests.fakes.world import World


async def test_history_is_bounded_by_turns(world: World) -> None:
    """A model is given the latest turns, whole and oldest first."""
    first = await world.admitted("0", agent="echo")
    await world.engine(first)
    for number in range(1, MODEL_TURNS + 3):
        await world.engine(await world.admitted(str(number), thread_id=first.thread_id, agent="echo"))
    messages = await read_history(world.table, world.thread(first.thread_id))
    asked = [message.text for message in messages if isinstance(message, UserSaid)]
    assert asked == [str(number) for number in range(3, MODEL_TURNS + 3)]
    assert len(messages) == 2 * MODEL_TURNS


async def test_history_is_bounded_by_size(world: World) -> None:
    """Over the bound of characters older turns are left out; the newest is given however long it is."""
    first = await world.admitted("x" * 20_000, agent="echo")
    await world.engine(first)
    for _ in range(5):
        await world.engine(await world.admitted("x" * 20_000, thread_id=first.thread_id, agent="echo"))
    messages = await read_history(world.table, world.thread(first.thread_id))
    assert len(messages) == 2 * (MODEL_CHARS // 40_000)


async def test_turns_beyond_the_bound_are_not_read(world: World) -> None:
    """What lies beside the rows of older turns is left there."""
    first = await world.admitted("x" * 20_000, agent="echo")
    await world.engine(first)
    for _ in range(9):
        await world.engine(await world.admitted("x" * 20_000, thread_id=first.thread_id, agent="echo"))
    world.table.inner = table = WeighingTable(world.memory)
    messages = await read_history(world.table, world.thread(first.thread_id))
    turns = {row.owner for row in table.rows if isinstance(row, PartRow)}
    assert len(turns) == len(messages) // 2 + 1
    assert len(turns) < 5


async def test_a_run_that_is_gone_is_superseded(world: World) -> None:
    """An invocation for a run that is over, or of another user, is told that it is late."""
    call = await world.admitted()
    assert (await read_run(world.table, world.context(call))).run.run_id == call.run_id
    await world.engine(call)
    with pytest.raises(Superseded):
        await read_run(world.table, world.context(call))


@pytest.mark.parametrize("count", [1, 3, 40])
async def test_long_results_are_cut_whatever_turn_they_are_of(world: World, count: int) -> None:
    """Of the newest turn too: heads and tails are kept, and all of them together are bounded."""
    call = await world.admitted(agent="echo")
    await world.engine(call)
    thread = world.thread(call.thread_id)
    contents = [f"HEAD{'x' * 1_000_000}TAIL" for _ in range(count)]
    calls = tuple(ToolCall(f"c{number}", "read", "{}") for number in range(count))
    answers = tuple(ToolAnswered(one.call_id, "read", text) for one, text in zip(calls, contents, strict=True))
    row = await write_piece(
        world.table, call.ref, thread, (UserSaid("Read."), AssistantSaid("", calls), *answers), nonce="n-2", at=1
    )
    messages = await read_history(world.table, replace(thread, history_head=row.key.sk))
    kept = [message.content for message in messages if isinstance(message, ToolAnswered)]
    assert len(kept) == count
    assert all(text.startswith("HEAD") and text.endswith("TAIL") for text in kept)
    assert sum(map(len, kept)) <= TURN_CHARS
    assert max(map(len, kept)) <= RESULT_CHARS
    assert min(map(len, kept)) >= RESULT_CHARS // (2 * count)


async def test_a_result_within_the_bound_is_whole(world: World) -> None:
    """One character more, and it is cut."""
    call = await world.admitted(agent="echo")
    await world.engine(call)
    thread = world.thread(call.thread_id)
    for extra in (0, 1):
        said = AssistantSaid("", (ToolCall("c", "read", "{}"),))
        answer = ToolAnswered("c", "read", "x" * (RESULT_CHARS + extra))
        row = await write_piece(world.table, call.ref, thread, (said, answer), nonce=f"n-{extra}", at=1)
        messages = await read_history(world.table, replace(thread, history_head=row.key.sk))
        assert (answer in messages) == (extra == 0)
