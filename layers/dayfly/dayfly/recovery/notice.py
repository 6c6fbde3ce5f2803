"""The notice that an engine's invocation has failed: handled at once."""

import logging
from dataclasses import dataclass

from dayfly.errors import CouldNotStart, EngineLost, EngineTimeout, RunFailed
from dayfly.ports.table import Table
from dayfly.publisher.patient_table import PatientTable
from dayfly.recovery.caretaker import MOST_NOTICED_STARTS, Caretaker
from dayfly.recovery.standing import READS_S, Standing, standing_of
from dayfly.runlog import keys
from dayfly.runlog.rows import LogRow

_log = logging.getLogger("dayfly.recovery")


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """A failed invocation. `invocation` is its request id; `expired`: it waited too long and never ran; `timed_out`: it
    was killed at its time-out."""

    user: str
    run: str
    invocation: str
    expired: bool
    timed_out: bool


async def handle_notice(table: Table, caretaker: Caretaker, notice: Notice) -> None:
    """Ends the run if the failed invocation was its engine; starts it again if it has not begun; posts the end again if
    it has one. A failure of some other invocation (a duplicate, a late one) touches nothing. Raises `Unsettled`."""
    table = PatientTable(table, READS_S)
    standing = await standing_of(table, keys.lease_key(notice.user, notice.run))
    if standing is None:
        return
    if standing.ended:
        await caretaker.post_end(standing)
    elif not standing.begun:
        if standing.lease.invoked < MOST_NOTICED_STARTS:
            await caretaker.start_again(standing)
        elif not notice.expired:
            # Function after function died before it began: another would, too, and the user waits.
            await caretaker.end(standing, CouldNotStart("No engine could begin the run."))
    elif not notice.expired and await _was_its_engine(table, standing, notice.invocation):
        await caretaker.end(standing, _reason(notice))
    else:
        _log.info("another engine has the run", extra={"run": notice.run})


async def _was_its_engine(table: Table, standing: Standing, invocation: str) -> bool:
    """Whether the present attempt's first record was written by the failed invocation."""
    run = standing.run
    first = await table.get(keys.log_key(run.user, run.run, run.first_seq), LogRow)
    return first is not None and first.invocation == invocation


def _reason(notice: Notice) -> RunFailed:
    if notice.timed_out:
        return EngineTimeout("The run took longer than it may.")
    return EngineLost("The engine was lost.")
