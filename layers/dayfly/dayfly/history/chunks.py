"""A run's piece of history in chunks, each packed by itself, so that a page reads little more than it shows."""

import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from pydantic import TypeAdapter

from dayfly.log.messages import AssistantSaid, Message, ToolAnswered, UserSaid
from dayfly.protocol.events import Finish
from dayfly.store.large_values import INLINE_BYTES, read_parts, write_parts
from dayfly.store.rows import HistoryRow
from dayfly.store.table import Table
from dayfly.text import split_text

PIECE_BYTES: Final = 6 * 1024
"""Bytes of one piece of a long message, as a JSON string."""
CHUNK_TEXT_BYTES: Final = 25 * 1024
"""Bytes of JSON in one chunk that a reader is shown: four pieces, as many as fill a page, so that hardly more than two
pages read the same chunk."""
CHUNK_BYTES: Final = 100 * 1024
"""Bytes of JSON in one chunk, tool calls and results included. A longer result is a chunk of its own."""


@dataclass(frozen=True, slots=True)
class Fragment:
    """A message, or a piece of one: a `continued` fragment goes on with the message of the one before it."""

    message: Message
    continued: bool = False

    @property
    def text(self) -> str:
        """What a reader sees of it; empty for tool calls and their results, which only a model is given."""
        return "" if isinstance(self.message, ToolAnswered) else self.message.text

    @property
    def shown(self) -> bool:
        """Whether a reader is shown it: text, and an answer that was cut off, or refused, before its first word."""
        message = self.message
        if self.text or not isinstance(message, AssistantSaid):
            return self.text != ""
        return message.finish is not Finish.COMPLETE and not message.calls and not self.continued


_FRAGMENT: Final[TypeAdapter[Fragment]] = TypeAdapter(Fragment)
_FRAGMENTS: Final[TypeAdapter[tuple[Fragment, ...]]] = TypeAdapter(tuple[Fragment, ...])


def fragment_to_json(fragment: Fragment) -> bytes:
    """The fragment as JSON, UTF-8."""
    return _FRAGMENT.dump_json(fragment)


def pack_fragments(encoded: Sequence[bytes]) -> bytes:
    """Fragments, each as `fragment_to_json` gives it, as they are stored: a zlib-compressed JSON array."""
    return zlib.compress(b"[" + b",".join(encoded) + b"]")


def unpack_fragments(data: bytes) -> tuple[Fragment, ...]:
    """Reads `pack_fragments`'s form. Raises `ValueError` or `zlib.error` on anything else."""
    return _FRAGMENTS.validate_json(zlib.decompress(data))


def messages_in(fragments: Iterable[Fragment]) -> tuple[Message, ...]:
    """The messages whole again. The first fragment must be the beginning of one."""
    pieces: list[list[Message]] = []
    for fragment in fragments:
        if fragment.continued:
            pieces[-1].append(fragment.message)
        else:
            pieces.append([fragment.message])
    return tuple(_whole(message) for message in pieces)


def _whole(pieces: list[Message]) -> Message:
    match pieces[0]:
        case UserSaid():
            return UserSaid("".join(piece.text for piece in pieces if isinstance(piece, UserSaid)))
        case AssistantSaid():
            said = [piece for piece in pieces if isinstance(piece, AssistantSaid)]
            return replace(
                said[-1],
                text="".join(piece.text for piece in said),
                calls=tuple(call for piece in said for call in piece.calls),
            )
        case ToolAnswered() as answer:
            return answer


@dataclass(frozen=True, slots=True)
class Chunk:
    """Packed fragments. `shown` is how many of them a reader sees."""

    data: bytes
    shown: int


def chunks_of(messages: tuple[Message, ...]) -> tuple[Chunk, ...]:
    """The messages in chunks within the bounds, in their order."""
    chunks: list[Chunk] = []
    held: list[bytes] = []
    shown = size = text_size = 0
    for fragment in _fragments_of(messages):
        encoded = fragment_to_json(fragment)
        more_text = len(encoded) if fragment.text else 0
        if held and (size + len(encoded) > CHUNK_BYTES or text_size + more_text > CHUNK_TEXT_BYTES):
            chunks.append(Chunk(pack_fragments(held), shown))
            held, shown, size, text_size = [], 0, 0, 0
        held.append(encoded)
        shown += fragment.shown
        size += len(encoded)
        text_size += more_text
    chunks.append(Chunk(pack_fragments(held), shown))
    return tuple(chunks)


async def with_chunks(table: Table, row: HistoryRow, chunks: Sequence[Chunk]) -> HistoryRow:
    """The row with its chunks: a single one in the row itself; several in parts under the row's key, which are written
    here. A repeat writes the same bytes again."""
    shown = tuple(chunk.shown for chunk in chunks)
    if len(chunks) == 1 and len(chunks[0].data) <= INLINE_BYTES:
        return replace(row, shown=shown, parts=(0,), body=chunks[0].data)
    parts: list[int] = []
    for chunk in chunks:
        first = sum(parts)
        parts.append(await write_parts(table, user_id=row.user_id, owner=row.key.sk, data=chunk.data, first=first))
    return replace(row, shown=shown, parts=tuple(parts))


async def read_chunks(table: Table, wanted: Sequence[tuple[HistoryRow, int]]) -> list[tuple[Fragment, ...]]:
    """The fragments of each of these chunks, all of them read at once. Raises `KeyError` where a part is missing."""
    keys_of = [row.chunk_keys(chunk) for row, chunk in wanted]
    parts = await read_parts(table, [key for keys in keys_of for key in keys])
    return [
        unpack_fragments(b"".join(parts[key] for key in keys) if keys else row.body)
        for (row, _), keys in zip(wanted, keys_of, strict=True)
    ]


async def messages_of(table: Table, row: HistoryRow) -> tuple[Message, ...]:
    """All messages of a piece. Raises `KeyError` if a part is missing."""
    chunks = await read_chunks(table, [(row, chunk) for chunk in range(len(row.parts))])
    return messages_in(fragment for chunk in chunks for fragment in chunk)


def _fragments_of(messages: tuple[Message, ...]) -> Iterator[Fragment]:
    """Texts in pieces, a response's calls and what its provider wants back after its text, results whole: only a model
    is given them."""
    for message in messages:
        match message:
            case UserSaid(text):
                pieces: list[Message] = [UserSaid(piece) for piece in split_text(text, PIECE_BYTES)]
            case AssistantSaid(text=text):
                pieces = [AssistantSaid(piece, finish=message.finish) for piece in split_text(text, PIECE_BYTES)]
                if message.calls or message.state is not None:
                    pieces.append(replace(message, text=""))
            case ToolAnswered(files=files):
                # The bytes of its files were for the run itself.
                pieces = [replace(message, files=tuple(file.without_data() for file in files))]
        for place, piece in enumerate(pieces or [message]):
            yield Fragment(piece, continued=place > 0)
