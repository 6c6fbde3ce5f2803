"""Values too long for one item (400 KB) are split beforehand under immutable keys.

Source: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html (item size)
"""

from collections.abc import Sequence
from typing import Final

from dayfly.ports.table import Put, Table
from dayfly.publisher.settle import settle
from dayfly.runlog import keys
from dayfly.runlog.rows import HistoryRow, LogRow, PartRow

INLINE_BYTES: Final = 160 * 1024
"""A packed value up to this size stays in its row, beside as much again of events."""
PART_BYTES: Final = 280 * 1024  # moto counts bytes in their base64 form, a third more


async def put_parts(table: Table, *, user: str, owner: str, data: bytes) -> int:
    """Writes the value's parts under the owner's name and says how many; 0 where the value may stay inline.

    `owner` is new with every value (it holds the writer's nonce), so a repeat writes the same bytes again.
    """
    if len(data) <= INLINE_BYTES:
        return 0
    parts = [data[start : start + PART_BYTES] for start in range(0, len(data), PART_BYTES)]
    for place, part in enumerate(parts):
        await settle(table, Put(PartRow(user=user, owner=owner, part=place, data=part)))
    return len(parts)


async def get_parts(table: Table, *, user: str, owner: str, count: int) -> bytes:
    """Reads the parts back. Raises `KeyError` where one is missing: parts are written before what counts them."""
    parts = [keys.part_key(user, owner, place) for place in range(count)]
    found = await table.get_many(parts)
    return b"".join(_data(found[key]) for key in parts)


async def journal_of(table: Table, row: LogRow) -> bytes:
    """The packed journal of a batch, wherever it lies."""
    if not row.journal_parts:
        return row.journal
    owner = journal_owner(row.run, row.nonce, row.ordinal)
    return await get_parts(table, user=row.user, owner=owner, count=row.journal_parts)


async def body_of(table: Table, row: HistoryRow) -> bytes:
    """The packed messages of a piece of history, wherever they lie."""
    if not row.body_parts:
        return row.body
    return await get_parts(table, user=row.user, owner=row.key.sk, count=row.body_parts)


async def bodies_of(table: Table, rows: Sequence[HistoryRow]) -> list[bytes]:
    """The packed messages of several pieces, in their order."""
    return [await body_of(table, row) for row in rows]


def journal_owner(run: str, nonce: str, ordinal: int) -> str:
    """The owner's name of a batch's journal parts: the run, the writer and its place, not the seq, which may still
    move."""
    return f"{keys.log_prefix(run)}{nonce}#{ordinal}"


def _data(row: object) -> bytes:
    assert isinstance(row, PartRow)  # noqa: S101  the key's kind decides the row's
    return row.data
