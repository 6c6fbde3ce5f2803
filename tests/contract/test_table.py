"""The contract of the `Table` port: single rows, conditions, reads."""

import typing

import pytest

from dayfly.store import keys
from dayfly.store.keys import Key
from dayfly.store.rows import AttachedRow, LogRow, NoteRow, Row, ThreadRow
from dayfly.store.table import Absent, Check, ConditionsFailed, Delete, Exists, Matches, Put, Span, TableRefused
from tests.contract import rows
from tests.contract.backends import Backend


@pytest.mark.parametrize("row", rows.one_of_every_kind(), ids=lambda row: type(row).__name__)
async def test_every_kind_of_row_comes_back_as_it_was(backend: Backend, row: Row) -> None:
    """A row read is equal to the row written: Unicode, all byte values, empty and absent fields."""
    await backend.table.write(Put(row))
    assert await backend.table.get(row.key, type(row)) == row


def test_the_suite_knows_every_kind_of_row() -> None:
    """A kind that is added to the union is written and read here too."""
    assert {type(row) for row in rows.one_of_every_kind()} == set(typing.get_args(Row))


async def test_an_absent_row_is_none(backend: Backend) -> None:
    """Reading a key that is not there gives `None`."""
    assert await backend.table.get(rows.thread().key, ThreadRow) is None


async def test_a_row_of_another_kind_is_an_error(backend: Backend) -> None:
    """Asking for the wrong kind is a bug that shows."""
    await backend.table.write(Put(rows.thread()))
    with pytest.raises(TypeError):
        await backend.table.get(rows.thread().key, LogRow)


async def test_a_put_replaces_the_whole_row(backend: Backend) -> None:
    """A field that was set before and is `None` now is gone."""
    await backend.table.write(Put(rows.thread(active_run="r-1")))
    await backend.table.write(Put(rows.thread(active_run=None)))
    assert await backend.table.get(rows.thread().key, ThreadRow) == rows.thread(active_run=None)


async def test_delete_removes_and_forgives(backend: Backend) -> None:
    """A delete removes the row; a second one is no error."""
    await backend.table.write(Put(rows.thread()))
    for _ in range(2):
        await backend.table.write(Delete(rows.thread().key))
        assert await backend.table.get(rows.thread().key, ThreadRow) is None


async def test_what_lies_behind_a_key_is_the_rest_of_its_span(backend: Backend) -> None:
    """All of the span that sorts after the key, whichever character follows; and not the key."""
    names = ("a", "a#", "a+", "a-", "a.", "a/", "a0", "a:", "a=", "aA", "a_", "az", "b")
    found = [NoteRow(user_id="u-1", note_id=name, text="x", at=1) for name in names]
    for row in found:
        await backend.table.write(Put(row))
    span = Span.prefix(found[0].key.pk, found[0].key.sk[:-1])
    for place, row in enumerate(found):
        assert await backend.table.query(span.after(row.key), NoteRow, limit=20) == tuple(found[place + 1 :])


HOLD_ON_A_ROW = (
    Exists(),
    Matches(),
    Matches(version=1),
    Matches(active_run=None),
    Matches(version=1, active_run=None, title=rows.TEXT),
)
FAIL_ON_A_ROW = (
    Absent(),
    Matches(version=2),
    Matches(version="1"),
    Matches(title="x"),
    Matches(version=None),
    Matches(active_run="r-1"),
    Matches(version=1, active_run="r-1"),
)
FAIL_ON_NO_ROW = (Exists(), Matches(), Matches(active_run=None), Matches(version=1))


@pytest.mark.parametrize("when", HOLD_ON_A_ROW, ids=repr)
async def test_conditions_that_hold_on_a_row(backend: Backend, when: Exists | Matches) -> None:
    """A put and a delete whose condition holds are carried out, alone and in a transaction."""
    old, new = rows.thread(), rows.thread(version=7)
    await backend.table.write(Put(old))
    await backend.table.write(Put(new, when))
    assert await backend.table.get(old.key, ThreadRow) == new
    await backend.table.write(Put(old))
    await backend.table.write(Check(old.key, when), Put(rows.note("a")))
    await backend.table.write(Delete(old.key, when))
    assert await backend.table.get(old.key, ThreadRow) is None


@pytest.mark.parametrize("when", FAIL_ON_A_ROW, ids=repr)
async def test_conditions_that_fail_on_a_row(backend: Backend, when: Absent | Matches) -> None:
    """A write whose condition fails changes nothing and says which row is there."""
    old = rows.thread()
    await backend.table.write(Put(old))
    for action in (Put(rows.thread(version=7), when), Delete(old.key, when), Check(old.key, when)):
        with pytest.raises(ConditionsFailed) as failed:
            await backend.table.write(action)
        assert failed.value.found == {0: old}
        assert await backend.table.get(old.key, ThreadRow) == old


@pytest.mark.parametrize("when", FAIL_ON_NO_ROW, ids=repr)
async def test_conditions_that_fail_where_there_is_no_row(backend: Backend, when: Exists | Matches) -> None:
    """Even `field=None` does not hold where there is no row; what is found is `None`."""
    row = rows.thread()
    for action in (Put(row, when), Delete(row.key, when), Check(row.key, when)):
        with pytest.raises(ConditionsFailed) as failed:
            await backend.table.write(action)
        assert failed.value.found == {0: None}
    assert await backend.table.get(row.key, ThreadRow) is None


async def test_absent_holds_where_there_is_no_row(backend: Backend) -> None:
    """A put that asks for an empty place gets it once; the second is told who was first."""
    first, second = rows.log(1, nonce="a"), rows.log(1, nonce="b")
    await backend.table.write(Put(first, Absent()))
    with pytest.raises(ConditionsFailed) as failed:
        await backend.table.write(Put(second, Absent()))
    assert failed.value.found == {0: first}


async def test_get_many_gives_what_is_there(backend: Backend) -> None:
    """Rows of several kinds and partitions come by key; missing ones are left out; a key twice is one."""
    written: tuple[Row, ...] = rows.one_of_every_kind()
    for row in written:
        await backend.table.write(Put(row))
    asked = [row.key for row in written] + [written[0].key, Key("USER#x", "THREAD#none")]
    assert await backend.table.get_many(asked) == {row.key: row for row in written}
    assert await backend.table.get_many([]) == {}


async def test_get_many_of_a_hundred_large_rows(backend: Backend) -> None:
    """What DynamoDB cuts at 16 MB is asked for again until all is there."""
    large = [rows.note(f"{place:03d}", "x" * 200_000) for place in range(100)]
    for row in large:
        await backend.table.write(Put(row))
    assert await backend.table.get_many([row.key for row in large]) == {row.key: row for row in large}
    with pytest.raises(TableRefused):
        await backend.table.get_many([rows.note(str(place)).key for place in range(101)])


async def test_query_by_sort_key(backend: Backend) -> None:
    """A query gives one partition's rows between both bounds, in order, either way, up to the limit."""
    for first in (1, 2, 5, 12, 100):
        await backend.table.write(Put(rows.log(first)))
    await backend.table.write(Put(rows.thread()), Put(rows.thread(user=rows.OTHER)), Put(rows.note("k")))

    def span(first: int, last: int) -> Span:
        return Span(rows.log(1).key.pk, rows.log(first).key.sk, rows.log(last).key.sk)

    async def firsts(where: Span, limit: int = 10, *, descending: bool = False) -> list[int]:
        found = await backend.table.query(where, LogRow, limit=limit, descending=descending)
        return [row.first for row in found]

    assert await firsts(span(2, 12)) == [2, 5, 12]
    assert await firsts(span(3, 11)) == [5]
    assert await firsts(span(2, 12), descending=True) == [12, 5, 2]
    assert await firsts(span(1, 999), 2) == [1, 2]
    assert await firsts(span(1, 6), 1, descending=True) == [5]
    assert await firsts(span(13, 99)) == []
    assert await firsts(span(12, 2)) == []
    assert await firsts(span(1, 999), 0) == []
    everything = Span.prefix(rows.log(1).key.pk, keys.log_prefix("r-1"))
    assert await firsts(everything) == [1, 2, 5, 12, 100]
    assert await firsts(Span.prefix(rows.log(1).key.pk, keys.log_prefix("r-"))) == []


async def test_query_live_gives_rows_of_several_kinds(backend: Backend) -> None:
    """Sockets and cancel marks of one thread come together, and no other thread's."""
    marks = [row for row in rows.one_of_every_kind() if row.key.sk.startswith("LIVE#")]
    stranger = AttachedRow(user_id=rows.USER, thread_id="t-10", connection_id="c", attached=1, expires=2)
    for row in (*marks, stranger):
        await backend.table.write(Put(row))
    span = Span.prefix(marks[0].key.pk, keys.live_prefix("t-1"))
    assert set(await backend.table.query_live(span, limit=10)) == set(marks)
    assert len(await backend.table.query_live(span, limit=1)) == 1


async def test_query_goes_on_after_a_megabyte(backend: Backend) -> None:
    """A page that DynamoDB cuts at 1 MB is not the end."""
    large = [rows.note(f"{place}", "y" * 300_000) for place in range(8)]
    for row in large:
        await backend.table.write(Put(row))
    span = Span.prefix(large[0].key.pk, keys.NOTES)
    assert await backend.table.query(span, NoteRow, limit=100) == tuple(large)
    assert await backend.table.query(span, NoteRow, limit=5, descending=True) == tuple(reversed(large))[:5]


async def test_a_row_of_almost_400_kilobytes(backend: Backend) -> None:
    """A row just below DynamoDB's limit is kept whole; one above it is refused and leaves nothing. (Bytes stay below
    300 KB here: moto counts them in their base64 form.)"""
    fits = rows.log(1, text="ß" * 200_000)
    await backend.table.write(Put(fits))
    assert await backend.table.get(fits.key, LogRow) == fits
    packed = rows.log(1, journal=b"\xab" * 290 * 1024)
    await backend.table.write(Put(packed))
    assert await backend.table.get(packed.key, LogRow) == packed
    with pytest.raises(TableRefused):
        await backend.table.write(Put(rows.log(2, journal=b"\xab" * 400 * 1024)))
    assert await backend.table.get(rows.log(2).key, LogRow) is None


async def test_due_leases(backend: Backend) -> None:
    """The index gives the leases of one shard that were due before a time, the oldest first."""
    for run, due, shard in (("r-3", 300, "0"), ("r-1", 100, "0"), ("r-2", 200, "0"), ("r-4", 100, "1")):
        await backend.table.write(Put(rows.lease(run, due=due, shard=shard)))

    async def due_before(before: int, *, shard: str = "0", limit: int = 10) -> list[str]:
        return [key.sk for key in await backend.table.due_leases(shard, before=before, limit=limit)]

    assert await due_before(300) == ["LEASE#r-1", "LEASE#r-2"]
    assert await due_before(301) == ["LEASE#r-1", "LEASE#r-2", "LEASE#r-3"]
    assert await due_before(301, limit=1) == ["LEASE#r-1"]
    assert await due_before(301, shard="1") == ["LEASE#r-4"]
    await backend.table.write(Put(rows.lease("r-1", due=900)), Delete(rows.lease("r-2").key))
    assert await due_before(301) == ["LEASE#r-3"]


async def test_deletions_stand_among_the_due_leases(backend: Backend) -> None:
    """A forgotten thread's row is found by the same index, in the order of what is due."""
    await backend.table.write(Put(rows.lease("r-1", due=200)), Put(rows.forget("t-1", due=100)))
    await backend.table.write(Put(rows.forget("t-2", due=300)))
    due = await backend.table.due_leases("0", before=300, limit=10)
    assert [key.sk for key in due] == ["FORGET#t-1", "LEASE#r-1"]
