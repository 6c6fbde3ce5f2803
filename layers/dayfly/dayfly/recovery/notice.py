"""Handling the notice that an engine's invocation has failed."""

import logging
from dataclasses import dataclass
from typing import Final

from dayfly.context.run_ref import OfRun, RunRef
from dayfly.errors import CouldNotStart, EngineLost, EngineTimeout, RunFailed
from dayfly.recovery.actions import RecoveryActions
from dayfly.runs.state import AwaitingApproval, AwaitingEngine, Ended, Held, read_state_by_lease
from dayfly.store import keys
from dayfly.store.rows import LeaseState, LogRow, ThreadRow
from dayfly.store.table import Table

MOST_NOTICED_STARTS: Final = 3
"""Invocations of one attempt that may fail before they begin, until the run is ended."""

_log = logging.getLogger("dayfly.recovery")


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice(OfRun):
    """A failed invocation.

    Attributes:
        first_seq: That of the attempt it was for.
        invocation_id: Its request id.
        expired: It waited too long and never ran.
        timed_out: It was killed at its time-out.
    """

    ref: RunRef
    first_seq: int
    invocation_id: str
    expired: bool
    timed_out: bool


async def handle_notice(recovery_actions: RecoveryActions, notice: Notice) -> None:
    """Invokes the engine of the thread's active run if none has begun it, since the failed invocation may have ended
    its own run and not started the next; then acts on the run that it was for. A failed duplicate or late invocation
    changes nothing. Raises `Unsettled`."""
    table = recovery_actions.run_writer.ports.table
    thread = await table.get(keys.thread_key(notice.user_id, notice.thread_id), ThreadRow)
    if thread is not None and thread.active_run is not None and thread.active_run != notice.run_id:
        following = await read_state_by_lease(table, keys.lease_key(notice.user_id, thread.active_run))
        if isinstance(following, AwaitingEngine):
            await recovery_actions.start_again(following)
    state = await read_state_by_lease(table, keys.lease_key(notice.user_id, notice.run_id))
    match state:
        case Ended():
            await recovery_actions.post_end(state)
        case AwaitingEngine():
            await _look_after_start(recovery_actions, state, notice)
        case Held() if not notice.expired and await _was_its_engine(table, state, notice.invocation_id):
            await recovery_actions.resume(state, _reason(notice))
        case Held() | AwaitingApproval():
            _log.info("another engine has the run", extra={"run": notice.run_id})
        case None:
            pass


async def _look_after_start(recovery_actions: RecoveryActions, state: AwaitingEngine, notice: Notice) -> None:
    present = notice.first_seq == state.run.first_seq
    if present and (notice.expired or state.lease.invoked >= MOST_NOTICED_STARTS):
        # Throttled away for a whole minute, or function after function died before it began: another would meet
        # the same, and the user waits.
        await recovery_actions.end(state, CouldNotStart("No engine could begin the run."))
    else:
        await recovery_actions.start_again(state)


async def _was_its_engine(table: Table, state: Held, invocation_id: str) -> bool:
    """Whether the lease is held, and the failed invocation has written the present attempt's first record."""
    run = state.run
    if state.lease.state is not LeaseState.HELD:
        return False
    first = await table.get(keys.log_key(run.user_id, run.run_id, run.first_seq), LogRow)
    return first is not None and first.invocation_id == invocation_id


def _reason(notice: Notice) -> RunFailed:
    if notice.timed_out:
        return EngineTimeout("An engine of the run was killed at its time-out.")
    return EngineLost("The engine was lost.")
