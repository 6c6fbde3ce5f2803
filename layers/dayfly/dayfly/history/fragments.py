"""The stored form of a run's messages: fragments, small enough that any of them can be read and shown alone."""

import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from pydantic import TypeAdapter

from dayfly.log.messages import AssistantSaid, Message, ToolAnswered, UserSaid


@dataclass(frozen=True, slots=True)
class Fragment:
    """A message, or a piece of one: a `continued` fragment goes on with the message of the one before it."""

    message: Message
    continued: bool = False

    @property
    def text(self) -> str:
        """What a reader sees of it; empty for tool calls and their results, which only a model is given."""
        return "" if isinstance(self.message, ToolAnswered) else self.message.text


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
            return AssistantSaid(
                "".join(piece.text for piece in said), tuple(call for piece in said for call in piece.calls)
            )
        case ToolAnswered() as answer:
            return answer
