"""The contract of the `Table` port: transactions and tokens."""

import secrets
from dataclasses import replace

import pytest

from dayfly.store.rows import LeaseRow, LogRow, NoteRow, ThreadRow
from dayfly.store.table import Absent, Action, Check, ConditionsFailed, Delete, Exists, Matches, Put, TableRefused
from tests.contract import rows
from tests.contract.backends import Backend


async def test_all_actions_are_carried_out(backend: Backend) -> None:
    """Puts and deletes of several kinds happen together; a check writes nothing."""
    await backend.table.write(Put(rows.thread()), Put(rows.lease()))
    await backend.table.write(
        Put(rows.log(1), Absent()),
        Put(rows.thread(version=2), Matches(version=1)),
        Delete(rows.lease().key, Exists()),
        Check(rows.note("k").key, Absent()),
    )
    assert await backend.table.get(rows.log(1).key, LogRow) == rows.log(1)
    assert await backend.table.get(rows.thread().key, ThreadRow) == rows.thread(version=2)
    assert await backend.table.get(rows.lease().key, LeaseRow) is None
    assert await backend.table.get(rows.note("k").key, NoteRow) is None


async def test_one_failed_condition_undoes_all(backend: Backend) -> None:
    """Nothing is written when one of many conditions fails, whatever its place."""
    await backend.table.write(Put(rows.thread()))
    writes: list[Action] = [Put(rows.note("a")), Put(rows.note("b"), Absent()), Delete(rows.thread().key)]
    for place in range(len(writes) + 1):
        actions = [*writes[:place], Check(rows.lease().key, Exists()), *writes[place:]]
        with pytest.raises(ConditionsFailed) as failed:
            await backend.table.write(*actions)
        assert failed.value.found == {place: None}
    assert await backend.table.get(rows.note("a").key, NoteRow) is None
    assert await backend.table.get(rows.note("b").key, NoteRow) is None
    assert await backend.table.get(rows.thread().key, ThreadRow) == rows.thread()


async def test_all_failed_conditions_are_named_with_their_rows(backend: Backend) -> None:
    """`found` has exactly the failed places: the row that is there, or `None`."""
    mine = rows.log(1, nonce="mine", journal=b"\x00\x01", text=rows.TEXT)
    await backend.table.write(Put(mine), Put(rows.thread(version=3)))
    with pytest.raises(ConditionsFailed) as failed:
        await backend.table.write(
            Put(rows.log(1, nonce="other"), Absent()),
            Put(rows.note("free"), Absent()),
            Check(rows.thread().key, Matches(version=2)),
            Delete(rows.lease().key, Matches(nonce="x")),
        )
    assert failed.value.found == {0: mine, 2: rows.thread(version=3), 3: None}


async def test_a_hundred_actions_are_the_most(backend: Backend) -> None:
    """100 actions are carried out together; 101 are refused, and so are none."""
    await backend.table.write(*(Put(rows.note(f"{place:03d}"), Absent()) for place in range(100)))
    assert await backend.table.get(rows.note("099").key, NoteRow) == rows.note("099")
    with pytest.raises(TableRefused):
        await backend.table.write(*(Delete(rows.note(f"{place:03d}").key) for place in range(101)))
    with pytest.raises(TableRefused):
        await backend.table.write()
    assert await backend.table.get(rows.note("000").key, NoteRow) == rows.note("000")


async def test_two_actions_on_one_key_are_refused(backend: Backend) -> None:
    """A transaction names each key once."""
    with pytest.raises(TableRefused):
        await backend.table.write(Check(rows.thread().key, Absent()), Put(rows.thread()))
    assert await backend.table.get(rows.thread().key, ThreadRow) is None


async def test_a_transaction_over_four_megabytes(backend: Backend) -> None:
    """A transaction of 3.9 MB is carried out; one over 4 MB is refused by every store that has the limit."""
    large = [rows.note(f"{place:02d}", "z" * 390_000) for place in range(12)]
    await backend.table.write(*(Put(row) for row in large[:10]))
    assert await backend.table.get(large[9].key, NoteRow) == large[9]
    if backend.limits_transactions:
        with pytest.raises(TableRefused):
            await backend.table.write(*(Put(row) for row in large))
    else:
        await backend.table.write(*(Put(row) for row in large))


async def test_a_token_makes_a_repeat_harmless(backend: Backend) -> None:
    """The same transaction under the same token is a success without a second effect, where the store knows tokens.
    moto carries it out again (the emulator's front adds tokens to it)."""
    token = secrets.token_hex(16)
    actions = (Put(rows.log(1), Absent()), Put(rows.thread(version=2)))
    await backend.table.write(*actions, token=token)
    await backend.table.write(Put(rows.thread(version=9)))
    if backend.honours_tokens:
        await backend.table.write(*actions, token=token)
        with pytest.raises(TableRefused):
            await backend.table.write(Put(rows.log(1), Absent()), Put(rows.thread(version=3)), token=token)
    else:
        with pytest.raises(ConditionsFailed):
            await backend.table.write(*actions, token=token)
    assert await backend.table.get(rows.thread().key, ThreadRow) == rows.thread(version=9)


async def test_a_token_covers_a_single_action_too(backend: Backend) -> None:
    """One action with a token is a transaction, so that its repeat is harmless as well."""
    token = secrets.token_hex(16)
    await backend.table.write(Put(rows.log(1), Absent()), token=token)
    if backend.honours_tokens:
        await backend.table.write(Put(rows.log(1), Absent()), token=token)
    else:
        with pytest.raises(ConditionsFailed):
            await backend.table.write(Put(rows.log(1), Absent()), token=token)
    assert await backend.table.get(rows.log(1).key, LogRow) == rows.log(1)


async def test_a_failed_transaction_does_not_use_its_token_up(backend: Backend) -> None:
    """After failed conditions the same token may carry the transaction out."""
    token = secrets.token_hex(16)
    actions = (Check(rows.thread().key, Exists()), Put(rows.note("k")))
    with pytest.raises(ConditionsFailed):
        await backend.table.write(*actions, token=token)
    await backend.table.write(Put(rows.thread()))
    await backend.table.write(*actions, token=token)
    assert await backend.table.get(rows.note("k").key, NoteRow) == rows.note("k")


async def test_tokens_of_other_lengths_are_refused(backend: Backend) -> None:
    """A token has 1 to 36 characters."""
    for token in ("", "x" * 37):
        with pytest.raises(TableRefused):
            await backend.table.write(Put(rows.note("k")), token=token)


async def test_one_of_two_writers_wins(backend: Backend) -> None:
    """Of two transactions for the same free key one succeeds; the other is shown the winner's row."""
    first = replace(rows.log(1), nonce="first")
    await backend.table.write(Put(first, Absent()), Put(rows.lease(nonce="first")))
    with pytest.raises(ConditionsFailed) as failed:
        await backend.table.write(Put(replace(first, nonce="second"), Absent()), Put(rows.lease(nonce="second")))
    assert failed.value.found == {0: first}
    assert await backend.table.get(rows.lease().key, LeaseRow) == rows.lease(nonce="first")
