"""The notice that an engine's invocation has failed: handled at once."""

import logging
from dataclasses import dataclass
from typing import Final

from dayfly.context.run_ref import OfRun, RunRef
from dayfly.errors import CouldNotStart, EngineLost, EngineTimeout, RunFailed
from dayfly.recovery.actions import RecoveryActions
from dayfly.runs.state import READS_S, Standing, standing_of
from dayfly.store import keys
from dayfly.store.retrying_table import RetryingTable
from dayfly.store.rows import LeaseState, LogRow, ThreadRow
from dayfly.store.table import Table

MOST_NOTICED_STARTS: Final = 3
"""Invocations of one attempt that may fail before they begin, until the run is ended."""

_log = logging.getLogger("dayfly.recovery")


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice(OfRun):
    """A failed invocation. `invocation` is its request id; `expired`: it waited too long and never ran; `timed_out`: it
    was killed at its time-out; `first_seq` tells for which attempt it was."""

    ref: RunRef
    first_seq: int
    invocation_id: str
    expired: bool
    timed_out: bool


async def handle_notice(table: Table, recovery_actions: RecoveryActions, notice: Notice) -> None:
    """Has the thread's active run started if it was not, which the failed invocation may have left undone after it had
    ended its own; then looks after the run that it was for. A failure of some other invocation (a duplicate, a late
    one) touches nothing. Raises `Unsettled`."""
    table = RetryingTable(table, READS_S)
    thread = await table.get(keys.thread_key(notice.user_id, notice.thread_id), ThreadRow)
    if thread is not None and thread.active_run is not None and thread.active_run != notice.run_id:
        following = await standing_of(table, keys.lease_key(notice.user_id, thread.active_run))
        if following is not None and following.waits_for_engine:
            await recovery_actions.start_again(following)
    standing = await standing_of(table, keys.lease_key(notice.user_id, notice.run_id))
    if standing is not None:
        await _look_after(table, recovery_actions, standing, notice)


async def _look_after(table: Table, recovery_actions: RecoveryActions, standing: Standing, notice: Notice) -> None:
    if standing.ended:
        await recovery_actions.post_end(standing)
    elif standing.waits_for_engine:
        present = notice.first_seq == standing.run.first_seq
        if present and (notice.expired or standing.lease.invoked >= MOST_NOTICED_STARTS):
            # Throttled away for a whole minute, or function after function died before it began: another would meet
            # the same, and the user waits.
            await recovery_actions.end(standing, CouldNotStart("No engine could begin the run."))
        else:
            await recovery_actions.start_again(standing)
    elif not notice.expired and await _was_its_engine(table, standing, notice.invocation_id):
        await recovery_actions.resume(standing, _reason(notice))
    else:
        _log.info("another engine has the run", extra={"run": notice.run_id})


async def _was_its_engine(table: Table, standing: Standing, invocation_id: str) -> bool:
    """Whether the present attempt's first record was written by the failed invocation, and it has not left the run in
    order since, to wait for its user."""
    run = standing.run
    if standing.lease.state != LeaseState.HELD:
        return False
    first = await table.get(keys.log_key(run.user_id, run.run_id, run.first_seq), LogRow)
    return first is not None and first.invocation_id == invocation_id


def _reason(notice: Notice) -> RunFailed:
    if notice.timed_out:
        return EngineTimeout("The run took longer than it may.")
    return EngineLost("The engine was lost.")
