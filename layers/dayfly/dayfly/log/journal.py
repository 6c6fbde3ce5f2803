"""The private part of the run log: what a fresh engine needs to go on, and what history is folded from."""

import zlib
from dataclasses import dataclass
from typing import Final

from pydantic import TypeAdapter

from dayfly.log.messages import AssistantSaid, Decision, ToolAnswered

Noted = AssistantSaid | ToolAnswered | Decision
"""What a journal holds."""


@dataclass(frozen=True, slots=True)
class JournalEntry:
    """A whole model response, a whole tool result, or a user's decision. `completes` is the last seq whose events it
    covers. The tokens are what the model counted for a response."""

    completes: int
    message: Noted
    input_tokens: int = 0
    output_tokens: int = 0


_ENTRIES: Final[TypeAdapter[tuple[JournalEntry, ...]]] = TypeAdapter(tuple[JournalEntry, ...])


def pack_journal(entries: tuple[JournalEntry, ...]) -> bytes:
    """The entries as stored: zlib-compressed JSON; no entries are no bytes."""
    return zlib.compress(_ENTRIES.dump_json(entries)) if entries else b""


def unpack_journal(data: bytes) -> tuple[JournalEntry, ...]:
    """Reads `pack_journal`'s form."""
    return _ENTRIES.validate_json(zlib.decompress(data)) if data else ()
