"""Values too long for one item."""

import pytest

from dayfly.store.large_values import INLINE_BYTES, PART_BYTES, get_parts, put_parts
from dayfly.store.rows import PartRow
from tests.fakes.faulty_table import Fault
from tests.fakes.world import World


@pytest.mark.parametrize(
    ("size", "parts"),
    [(0, 0), (INLINE_BYTES, 0), (INLINE_BYTES + 1, 1), (PART_BYTES, 1), (PART_BYTES + 1, 2), (5 * PART_BYTES, 5)],
)
async def test_values_on_both_sides_of_each_size(world: World, size: int, parts: int) -> None:
    """A value that may stay inline has no part; a longer one has as many as it needs, and reads back whole."""
    data = bytes(range(256)) * (size // 256) + b"x" * (size % 256)
    assert await put_parts(world.table, user_id="u-1", owner="LOG#n#0", data=data) == parts
    assert len(world.rows(PartRow)) == parts
    if parts:
        assert await get_parts(world.table, user_id="u-1", owner="LOG#n#0", count=parts) == data


async def test_writing_again_changes_nothing(world: World) -> None:
    """Parts whose answer was lost are written again as the same bytes."""
    data = b"x" * (PART_BYTES * 2)
    world.table.fail_once(1, Fault.ANSWER_LOST)
    await put_parts(world.table, user_id="u-1", owner="o", data=data)
    before = dict(world.memory.rows)
    await put_parts(world.table, user_id="u-1", owner="o", data=data)
    assert world.memory.rows == before
    assert await get_parts(world.table, user_id="u-1", owner="o", count=2) == data


async def test_a_missing_part_is_an_error(world: World) -> None:
    """What counts parts that are not there is not read as something shorter."""
    with pytest.raises(KeyError):
        await get_parts(world.table, user_id="u-1", owner="o", count=1)
