"""The private part of the run log, from which the next engine continues and history is folded."""

import zlib
from dataclasses import dataclass
from typing import Final

from pydantic import TypeAdapter

from dayfly.log.messages import Answer, AssistantSaid, Decision, TokenCount, ToolAnswered
from dayfly.store import keys
from dayfly.store.large_values import get_parts
from dayfly.store.rows import LogRow
from dayfly.store.table import Table

JournalMessage = AssistantSaid | ToolAnswered | Decision | Answer
"""What a journal holds."""


@dataclass(frozen=True, slots=True)
class JournalEntry:
    """A whole model response, a whole tool result, a user's decision, or a run's answer. `completes` is the last seq
    whose events it covers. The tokens are what the model counted for a response. `told`: the agent itself gave the
    response; else it follows from what the agent did, and counts as no request to a model."""

    completes: int
    message: JournalMessage
    input_tokens: int = 0
    output_tokens: int = 0
    cache_read_tokens: int = 0
    cache_write_tokens: int = 0
    told: bool = True

    @property
    def tokens(self) -> TokenCount:
        """All that was counted."""
        return TokenCount(self.input_tokens, self.output_tokens, self.cache_read_tokens, self.cache_write_tokens)


_ENTRIES: Final[TypeAdapter[tuple[JournalEntry, ...]]] = TypeAdapter(tuple[JournalEntry, ...])


def pack_journal(entries: tuple[JournalEntry, ...]) -> bytes:
    """The entries as stored: zlib-compressed JSON; no entries are no bytes."""
    return zlib.compress(_ENTRIES.dump_json(entries)) if entries else b""


def unpack_journal(data: bytes) -> tuple[JournalEntry, ...]:
    """Reads `pack_journal`'s form."""
    return _ENTRIES.validate_json(zlib.decompress(data)) if data else ()


async def journal_of(table: Table, row: LogRow) -> bytes:
    """The packed journal of a batch, from its row or from its parts. Raises `KeyError` if a part is missing."""
    if not row.journal_parts:
        return row.journal
    owner = journal_owner(row.run_id, row.nonce, row.ordinal)
    return await get_parts(table, user_id=row.user_id, owner=owner, count=row.journal_parts)


def journal_owner(run_id: str, nonce: str, ordinal: int) -> str:
    """The owner of a batch's journal parts: run, writer and ordinal; not the seq, which may still change."""
    return f"{keys.log_prefix(run_id)}{nonce}#{ordinal}"
