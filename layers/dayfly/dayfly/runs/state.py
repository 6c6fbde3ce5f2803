"""The state of a run: one closed union, read by router, engine and recovery alike.

What decides is the log (`Ended`) and then the lease; whether a run without a lease waits in its thread's queue is
checked by the transition that would end it. All reads are strongly consistent, each of its own moment, so a state may
be out of date when it is acted on: every transition is conditional on the rows that its state was read from.
"""

from dataclasses import dataclass
from enum import StrEnum

from dayfly.errors import Superseded
from dayfly.log.reader import tail_of
from dayfly.protocol.events import EventType, decode_event
from dayfly.store import keys
from dayfly.store.keys import Key
from dayfly.store.rows import LeaseRow, LeaseState, LogRow, Outcome, RunRow
from dayfly.store.table import Table


@dataclass(frozen=True, slots=True)
class Queued:
    """It waits in its thread's queue: it has no lease."""

    run: RunRow
    tail: LogRow

    @property
    def lease(self) -> None:
        """`None`: the transition that makes the run active writes one."""
        return None


@dataclass(frozen=True, slots=True)
class AwaitingEngine:
    """Its present attempt is open, and no engine has written in it."""

    run: RunRow
    lease: LeaseRow
    tail: LogRow


@dataclass(frozen=True, slots=True)
class Held:
    """An engine has written in its present attempt, and may still run.

    The lease is `HELD`, or, where it was read before that engine began and the log after, still `WAITING`.
    """

    run: RunRow
    lease: LeaseRow
    tail: LogRow


@dataclass(frozen=True, slots=True)
class AwaitingApproval:
    """It waits for its user until the lease is due; no engine runs."""

    run: RunRow
    lease: LeaseRow
    tail: LogRow


@dataclass(frozen=True, slots=True)
class Ended:
    """Its log holds the terminal event, which may still be unposted."""

    run: RunRow
    tail: LogRow
    outcome: Outcome
    lease: LeaseRow | None = None
    """If it was read: it is deleted when the end was posted to all."""


Active = AwaitingEngine | Held | AwaitingApproval
"""Its thread's active run, which has a lease."""
RunState = Queued | Active | Ended


def state_of(run: RunRow, lease: LeaseRow | None, tail: LogRow) -> RunState:
    """The state by these rows. Raises `Superseded` if the lease is `ENDED` and the log has no end: the run ended
    between the two reads."""
    if tail.outcome is not None:
        return Ended(run, tail, tail.outcome, lease)
    if lease is None:
        return Queued(run, tail)
    match lease.state:
        case LeaseState.ENDED:
            raise Superseded("the run has just ended")
        case LeaseState.APPROVAL:
            return AwaitingApproval(run, lease, tail)
        case LeaseState.WAITING if tail.last < run.first_seq:
            return AwaitingEngine(run, lease, tail)
        case LeaseState.WAITING | LeaseState.HELD:
            return Held(run, lease, tail)


async def read_state(table: Table, run: RunRow) -> RunState | None:
    """Reads a run's state; the lease only if the log has no end.

    Returns:
        `None` if the run has no log: it is being deleted.

    Raises:
        Superseded: As `state_of`.
        Unsettled: The table did not answer.
    """
    tail = await tail_of(table, user_id=run.user_id, run_id=run.run_id)
    if tail is None:
        return None
    if tail.outcome is not None:
        return Ended(run, tail, tail.outcome)
    return state_of(run, await table.get(keys.lease_key(run.user_id, run.run_id), LeaseRow), tail)


async def read_state_by_lease(table: Table, lease_key: Key) -> Active | Ended | None:
    """Reads a lease and the state of its run.

    Returns:
        `None` if the lease, the run or its log is gone.

    Raises:
        Superseded: As `state_of`.
        Unsettled: The table did not answer.
    """
    lease = await table.get(lease_key, LeaseRow)
    if lease is None:
        return None
    run = await table.get(keys.run_key(lease.user_id, lease.thread_id, lease.run_id), RunRow)
    tail = await tail_of(table, user_id=lease.user_id, run_id=lease.run_id)
    if run is None or tail is None:
        return None
    state = state_of(run, lease, tail)
    return None if isinstance(state, Queued) else state


class RunStatus(StrEnum):
    """A run's state as clients are told it. Derived, never stored."""

    QUEUED = "queued"
    RUNNING = "running"
    WAITING = "waiting"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"


def status_of(tail: LogRow | None, *, queued: bool) -> RunStatus:
    """The status for clients. The lease is not read, so a run that is `running` may wait for its engine.

    Args:
        tail: The last batch of the run's log, if there is one.
        queued: Whether the run is in its thread's queue.
    """
    if tail is not None and tail.outcome is not None:
        return RunStatus(tail.outcome.value)
    if tail is not None and decode_event(tail.events[-1]).type is EventType.APPROVAL_REQUESTED:
        return RunStatus.WAITING
    return RunStatus.QUEUED if queued else RunStatus.RUNNING
