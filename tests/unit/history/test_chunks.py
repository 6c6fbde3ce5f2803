"""History in chunks."""

import random
from dataclasses import replace

import pytest

from dayfly.history.chunks import (
    CHUNK_BYTES,
    CHUNK_TEXT_BYTES,
    PIECE_BYTES,
    chunks_of,
    fragment_to_json,
    messages_of,
    read_chunks,
    unpack_fragments,
    with_chunks,
)
from dayfly.log.messages import AssistantSaid, Message, ProviderState, ToolAnswered, ToolCall, UserSaid
from dayfly.protocol.events import Finish
from dayfly.store.large_values import PART_BYTES
from dayfly.store.rows import HistoryRow, PartRow
from dayfly.store.table import MAX_KEYS, Delete
from dayfly.text import split_text
from tests.fakes.faulty_table import Fault
from tests.fakes.weighing_table import WeighingTable
from tests.fakes.world import World

ROW = HistoryRow(user_id="u-1", thread_id="t-1", place=1, run_id="r-1", nonce="n", previous=None, at=1)
CALL = ToolCall("c", "look", '{"at":"é"}')


def noise(characters: int) -> str:
    """Text that hardly packs."""
    draw = random.Random(characters)
    return "".join(chr(0x4E00 + draw.randrange(20_000)) for _ in range(characters))


LONG: tuple[Message, ...] = (
    UserSaid("?" * 10_000),
    AssistantSaid("😀" * 50_000, (CALL, CALL)),
    ToolAnswered("c", "look", "x" * 500_000),
    ToolAnswered("c", "look", "y"),
    AssistantSaid("", (ToolCall("d", "write", "z" * 200_000),)),
    ToolAnswered("d", "write", noise(200_000)),
    AssistantSaid('"\n' * 30_000),
)
MANY: tuple[Message, ...] = (
    UserSaid("Hi"),
    *(
        message
        for n in range(50)
        for message in (AssistantSaid(str(n), (CALL,)), ToolAnswered("c", "look", "r" * 9_000))
    ),
)
EMPTY: tuple[Message, ...] = (
    UserSaid(""),
    AssistantSaid(""),
    AssistantSaid("", (CALL,)),
    ToolAnswered("c", "look", ""),
)

CUT: tuple[Message, ...] = (
    UserSaid("Hi"),
    AssistantSaid("", (CALL,), finish=Finish.LENGTH),
    ToolAnswered("c", "look", "r"),
    AssistantSaid("x" * 20_000, finish=Finish.LENGTH, state=ProviderState("p", "s")),
    AssistantSaid("", finish=Finish.REFUSED, state=ProviderState("p", "s")),
    AssistantSaid("", finish=Finish.FILTERED),
)


@pytest.mark.parametrize(
    "messages", [LONG, MANY, EMPTY, CUT, (UserSaid("Hi"),), ()], ids=["long", "many", "empty", "cut", "short", "none"]
)
async def test_messages_come_back_whole(world: World, messages: tuple[Message, ...]) -> None:
    """Whatever their lengths, the messages read back are those that were written, whoever asks for them all."""
    row = await with_chunks(world.table, ROW, chunks_of(messages))
    assert await messages_of(world.table, row) == messages
    assert len(row.shown) == len(row.parts)
    assert sum(row.parts) == len(world.rows(PartRow))


def test_an_answer_that_ended_before_its_first_word_is_shown() -> None:
    """Refused or held back, it counts as a piece that a reader sees; a call of a cut response, or what a provider wants
    back with one, does not."""
    (chunk,) = chunks_of(CUT)
    shown = [fragment for fragment in unpack_fragments(chunk.data) if fragment.shown]
    assert chunk.shown == len(shown)
    assert [fragment.text[:1] for fragment in shown] == ["H", "x", "x", "x", "x", "", ""]


@pytest.mark.parametrize("messages", [LONG, MANY, EMPTY], ids=["long", "many", "empty"])
def test_chunks_are_bounded(messages: tuple[Message, ...]) -> None:
    """Only a chunk of a single fragment is larger than the bounds; what a chunk shows are the texts' pieces."""
    pieces: list[str] = []
    for chunk in chunks_of(messages):
        fragments = unpack_fragments(chunk.data)
        texts = [fragment.text for fragment in fragments if fragment.text]
        assert chunk.shown == len(texts)
        assert sum(len(text.encode()) for text in texts) <= CHUNK_TEXT_BYTES
        assert len(fragments) == 1 or len(str(fragments)) <= CHUNK_BYTES * 2
        pieces += texts
    said = [message.text for message in messages if isinstance(message, UserSaid | AssistantSaid)]
    assert pieces == [piece for text in said for piece in split_text(text, PIECE_BYTES)]


def test_four_whole_pieces_are_a_chunk() -> None:
    """Long text comes in chunks of four pieces, what is more begins the next."""
    four = "x" * 4 * (PIECE_BYTES - 2)
    for text, shown in ((four, [4]), (four + "x" * 1_000, [4, 1]), (four * 2, [4, 4])):
        assert [chunk.shown for chunk in chunks_of((AssistantSaid(text),))] == shown


@pytest.mark.parametrize(("more", "count"), [(0, 1), (1, 2)])
def test_both_sides_of_the_bound_of_a_chunk(more: int, count: int) -> None:
    """A chunk is as large as the bound, and no larger."""
    (alone,) = chunks_of((UserSaid("Hi"), ToolAnswered("c", "look", "")))
    size = sum(len(part) for part in _encoded(alone.data))
    messages = (UserSaid("Hi"), ToolAnswered("c", "look", "x" * (CHUNK_BYTES - size + more)))
    assert len(chunks_of(messages)) == count


def _encoded(data: bytes) -> list[bytes]:
    return [fragment_to_json(fragment) for fragment in unpack_fragments(data)]


async def test_a_short_piece_stays_in_its_row(world: World) -> None:
    """What fits into one chunk costs no row beside."""
    (chunk,) = chunks_of((UserSaid("Hi"), AssistantSaid("x" * 20_000)))
    row = await with_chunks(world.table, ROW, (chunk,))
    assert (row.body, row.shown, row.parts) == (chunk.data, (chunk.shown,), (0,))
    assert world.table.calls == []


async def test_a_result_of_any_size_is_a_chunk(world: World) -> None:
    """It lies in as many parts as it needs, and those around it are found where they are."""
    result = ToolAnswered("c", "look", noise(300_000))
    messages = (UserSaid("Hi"), result, AssistantSaid("So."))
    row = await with_chunks(world.table, ROW, chunks_of(messages))
    assert row.shown == (1, 0, 1)
    assert (row.parts[0], row.parts[2]) == (1, 1)
    assert row.parts[1] > 1
    assert all(len(part.data) <= PART_BYTES for part in world.rows(PartRow))
    assert await messages_of(world.table, row) == messages


async def test_chunks_are_read_alone(world: World) -> None:
    """Chunks of several pieces come in one call, and nothing besides them."""
    rows = [
        await with_chunks(world.table, replace(ROW, run_id=f"r-{n}"), chunks_of((UserSaid(f"{n}" * 60_000),)))
        for n in range(2)
    ]
    short = await with_chunks(world.table, ROW, chunks_of((UserSaid("short"),)))
    table = WeighingTable(world.memory)
    read = await read_chunks(table, [(rows[1], 2), (short, 0), (rows[0], 0)])
    assert [fragments[0].text[:5] for fragments in read] == ["11111", "short", "00000"]
    assert table.reads == 1
    assert [row.key for row in table.rows] == [*rows[1].chunk_keys(2), *rows[0].chunk_keys(0)]


async def test_more_chunks_than_one_call_takes(world: World) -> None:
    """A piece of very many chunks is read in several calls."""
    messages = (UserSaid("Hi"), AssistantSaid("x" * 3_000_000))
    row = await with_chunks(world.table, ROW, chunks_of(messages))
    assert len(row.parts) > MAX_KEYS
    table = WeighingTable(world.memory)
    assert await messages_of(table, row) == messages
    assert table.reads == 2


async def test_writing_again_changes_nothing(world: World) -> None:
    """Chunks whose answer was lost are written again as the same bytes."""
    world.table.fail_once(1, Fault.ANSWER_LOST)
    row = await with_chunks(world.table, ROW, chunks_of(LONG))
    before = dict(world.memory.rows)
    assert await with_chunks(world.table, ROW, chunks_of(LONG)) == row
    assert world.memory.rows == before


async def test_a_missing_part_is_an_error(world: World) -> None:
    """What counts parts that are not there is not read as something shorter."""
    row = await with_chunks(world.table, ROW, chunks_of(LONG))
    await world.memory.write(Delete(row.chunk_keys(1)[0]))
    with pytest.raises(KeyError):
        await messages_of(world.table, row)
