"""The leases of a run over its life."""

from dataclasses import replace
from typing import Any

import pytest

from dayfly.context.run_ref import RunRef
from dayfly.runs.lease import (
    BEGIN_WITHIN_MS,
    LEASE_MS,
    approval_lease,
    as_read,
    ended_lease,
    first_lease,
    held_by,
    held_lease,
    not_begun,
)
from dayfly.store.keys import ENDED_SHARDS, LEASE_SHARDS
from dayfly.store.memory import MemoryTable
from dayfly.store.rows import LeaseRow, LeaseState, RunRow
from dayfly.store.table import Check, ConditionsFailed, Matches, Put

RUN = RunRow(
    ref=RunRef(user_id="u", tenant_id="o", thread_id="t", run_id="r-1a"),
    request_id="q",
    agent_name="a",
    text="Hi",
    turn=1,
    admitted=5,
    first_seq=2,
)
FIRST = first_lease(RUN, now=100)
HELD = held_lease(FIRST, nonce="mine", now=200)
APPROVAL = approval_lease(HELD, nonce="mine", expires=9000)
ENDED = replace(HELD, state=LeaseState.ENDED)


async def holds(condition: dict[str, Any], row: LeaseRow) -> bool:
    """Whether a table that has this row would carry out what depends on the condition."""
    table = MemoryTable()
    await table.write(Put(row))
    try:
        await table.write(Check(row.key, Matches(**condition)))
    except ConditionsFailed:
        return False
    return True


def test_a_run_that_becomes_active_waits_for_its_engine() -> None:
    """Its lease is due when an engine should have begun, names attempt and seq, and stands in the index."""
    assert (FIRST.state, FIRST.due) == (LeaseState.WAITING, 100 + BEGIN_WITHIN_MS)
    assert (FIRST.attempt, FIRST.first_seq, FIRST.activated, FIRST.invoked, FIRST.nonce) == (1, 2, 100, 1, "")
    assert FIRST.lease_shard in LEASE_SHARDS


def test_an_engine_holds_it_for_twenty_seconds() -> None:
    """It is in the name of the engine that claims it, and keeps when the attempt could begin."""
    assert (HELD.state, HELD.nonce, HELD.due) == (LeaseState.HELD, "mine", 200 + LEASE_MS)
    assert (HELD.activated, HELD.attempt) == (100, 1)


def test_a_change_of_hands_leaves_the_rest() -> None:
    """Whoever takes a lease over says in which state, for whom and until when, and nothing else."""
    assert (BEGIN_WITHIN_MS, LEASE_MS) == (10_000, 20_000)
    first = first_lease(RUN, now=100)
    assert held_lease(first, nonce="n", now=200) == replace(first, state=LeaseState.HELD, nonce="n", due=20_200)
    assert approval_lease(first, nonce="n", expires=9) == replace(first, state=LeaseState.APPROVAL, nonce="n", due=9)
    ended = ended_lease(first, due=7, nonce="n")
    assert ended == replace(first, state=LeaseState.ENDED, nonce="n", due=7, lease_shard=ended.lease_shard)


def test_the_next_attempt_waits_anew() -> None:
    """Its time counts from when it was opened, it has been invoked once, and nobody holds it."""
    row = replace(RUN, attempt=2, first_seq=9)
    following = first_lease(row, now=500)
    assert following == replace(FIRST, attempt=2, first_seq=9, activated=500, due=500 + BEGIN_WITHIN_MS)


def test_a_run_that_waits_for_its_user_is_due_when_that_expires() -> None:
    """Until then no sweep takes it."""
    assert (APPROVAL.state, APPROVAL.due, APPROVAL.nonce) == (LeaseState.APPROVAL, 9000, "mine")


def test_the_lease_of_an_ended_run_stands_apart() -> None:
    """The sweep posts the end from it, should nobody else, after all that is due of runs that have not ended."""
    row = ended_lease(HELD, due=700, nonce="n")
    assert (row.state, row.due, row.nonce, row.key) == (LeaseState.ENDED, 700, "n", FIRST.key)
    assert row.lease_shard in ENDED_SHARDS
    assert row.lease_shard not in LEASE_SHARDS


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        (FIRST, True),
        (replace(FIRST, due=999, invoked=2), True),
        (replace(FIRST, attempt=2), False),
        (replace(FIRST, first_seq=3), False),
        (HELD, False),
        (APPROVAL, False),
        (ENDED, False),
    ],
)
async def test_not_begun_holds_while_no_engine_has_begun(row: LeaseRow, *, expected: bool) -> None:
    """Also where the attempt was invoked again meanwhile; not for another attempt, nor once anybody has begun."""
    assert await holds(not_begun(RUN), row) is expected


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        (HELD, True),
        (replace(HELD, due=999), True),
        (replace(HELD, nonce="other"), False),
        (replace(HELD, first_seq=9), False),
        (FIRST, False),
        (APPROVAL, False),
        (ENDED, False),
    ],
)
async def test_held_by_holds_for_one_engine(row: LeaseRow, *, expected: bool) -> None:
    """However often it has renewed; not for another engine's, nor when its own attempt is over."""
    assert await holds(held_by(RUN, "mine"), row) is expected


@pytest.mark.parametrize("moved", [{"due": 1}, {"nonce": "x"}, {"state": "ended"}, {"first_seq": 9}, {"invoked": 2}])
async def test_as_read_fails_when_anybody_has_touched_it(moved: dict[str, Any]) -> None:
    """A renewal, another engine, another invocation: whoever read it has to look again."""
    assert await holds(as_read(HELD), HELD)
    assert not await holds(as_read(HELD), replace(HELD, **moved))
