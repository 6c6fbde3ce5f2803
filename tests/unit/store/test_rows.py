"""Rows that lead to others."""

from dayfly.store.keys import part_key
from dayfly.store.rows import HistoryRow


def test_the_parts_of_a_chunk() -> None:
    """The parts of a row's chunks are numbered through: a chunk's come behind those of all before it."""
    row = HistoryRow(
        user_id="u",
        thread_id="t",
        place=1,
        run_id="r",
        nonce="n",
        previous=None,
        at=1,
        shown=(1, 1, 1, 1),
        parts=(2, 1, 0, 3),
    )
    chunks = [row.chunk_keys(chunk) for chunk in range(4)]
    owner = "HIST#t#00000001#r#n"
    assert chunks == [tuple(part_key("u", owner, part) for part in parts) for parts in ((0, 1), (2,), (), (3, 4, 5))]
