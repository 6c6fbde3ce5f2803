"""Values too long for one item (400 KB) are split beforehand under immutable keys.

Source: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html (item size)
"""

from collections.abc import Mapping, Sequence
from typing import Final

from dayfly.store import keys
from dayfly.store.keys import Key
from dayfly.store.retry import retry_write
from dayfly.store.rows import PartRow, Row
from dayfly.store.table import MAX_KEYS, Put, Table

INLINE_BYTES: Final = 160 * 1024
"""A packed value up to this size stays in its row, beside as much again of events."""
PART_BYTES: Final = 280 * 1024  # moto counts bytes in their base64 form, a third more


async def put_parts(table: Table, *, user_id: str, owner: str, data: bytes) -> int:
    """Writes a value of more than `INLINE_BYTES` in parts. Returns how many; 0 if the value is to stay in its row.
    Raises `Unsettled`."""
    return 0 if len(data) <= INLINE_BYTES else await write_parts(table, user_id=user_id, owner=owner, data=data)


async def write_parts(table: Table, *, user_id: str, owner: str, data: bytes, first: int = 0) -> int:
    """Writes the value in parts, from the owner's part `first` on.

    Args:
        owner: Unique to the value (it holds the writer's nonce), so a repeat writes the same bytes.

    Returns:
        The number of parts.

    Raises:
        Unsettled: The table did not answer.
    """
    parts = [data[start : start + PART_BYTES] for start in range(0, len(data), PART_BYTES)]
    for place, part in enumerate(parts, start=first):
        await retry_write(table, Put(PartRow(user_id=user_id, owner=owner, part=place, data=part)))
    return len(parts)


async def read_parts(table: Table, wanted: Sequence[Key]) -> Mapping[Key, bytes]:
    """Reads parts. Raises `KeyError` if one is missing: parts are written before the row that counts them."""
    found: dict[Key, Row] = {}
    for start in range(0, len(wanted), MAX_KEYS):
        found.update(await table.get_many(wanted[start : start + MAX_KEYS]))
    return {key: _data(found[key]) for key in wanted}


async def get_parts(table: Table, *, user_id: str, owner: str, count: int) -> bytes:
    """Reads a value from its parts. Raises `KeyError` as `read_parts`."""
    wanted = [keys.part_key(user_id, owner, place) for place in range(count)]
    return b"".join((await read_parts(table, wanted)).values())


def _data(row: Row) -> bytes:
    assert isinstance(row, PartRow)  # noqa: S101  the key's kind decides the row's
    return row.data
