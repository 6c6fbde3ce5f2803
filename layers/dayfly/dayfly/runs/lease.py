"""The leases of a run over its life, and how long each holds. Pure.

The writer that opens an attempt writes its lease as `WAITING`; the engine makes it `HELD` with its first append and
renews it; while the run waits for its user it is `APPROVAL`; the end of the run makes it `ENDED`, and it is deleted
when the end was posted.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from dayfly.store import keys
from dayfly.store.rows import LeaseRow, LeaseState, RunRow
from dayfly.store.table import Matches

LeaseCondition = Callable[[], Matches]
"""What the lease must still be when a transition is committed, asked for each try."""

BEGIN_WITHIN_MS: Final = 10_000
"""How long an engine has to begin before the sweep acts on the run."""
LEASE_MS: Final = 20_000
"""How long a lease holds without being renewed."""


def first_lease(run: RunRow, *, now: int) -> LeaseRow:
    """The lease of a run whose present attempt may begin at `now` (milliseconds since the epoch)."""
    return LeaseRow(
        ref=run.ref,
        lease_shard=keys.lease_shard(run.run_id),
        due=now + BEGIN_WITHIN_MS,
        state=LeaseState.WAITING,
        attempt=run.attempt,
        first_seq=run.first_seq,
        activated=now,
    )


def ended_lease(lease: LeaseRow, *, due: int, nonce: str) -> LeaseRow:
    """The lease of a run that has ended, until the end was posted. It is in shards of its own in the index, so that
    ends left to post delay no other run."""
    shard = keys.ended_shard(lease.run_id)
    return replace(lease, lease_shard=shard, due=due, state=LeaseState.ENDED, nonce=nonce)


def held_lease(lease: LeaseRow, *, nonce: str, now: int) -> LeaseRow:
    """The lease held by the engine with this nonce, from `now` on (milliseconds since the epoch)."""
    return replace(lease, state=LeaseState.HELD, nonce=nonce, due=now + LEASE_MS)


def approval_lease(lease: LeaseRow, *, nonce: str, expires: int) -> LeaseRow:
    """The lease of a run that waits for its user until `expires` (milliseconds since the epoch)."""
    return replace(lease, state=LeaseState.APPROVAL, nonce=nonce, due=expires)


def not_begun(run: RunRow) -> dict[str, str | int | None]:
    """The lease's fields while no engine has begun the run's present attempt."""
    return {"state": LeaseState.WAITING, "attempt": run.attempt, "first_seq": run.first_seq}


def held_by(run: RunRow, nonce: str) -> dict[str, str | int | None]:
    """The lease's fields while the engine with this nonce holds the run's present attempt."""
    return {"state": LeaseState.HELD, "first_seq": run.first_seq, "nonce": nonce}


def as_read(lease: LeaseRow) -> dict[str, str | int | None]:
    """The lease's fields as they were read: any write since has changed one of them."""
    return {
        "state": lease.state,
        "attempt": lease.attempt,
        "first_seq": lease.first_seq,
        "nonce": lease.nonce,
        "due": lease.due,
        "invoked": lease.invoked,
    }
