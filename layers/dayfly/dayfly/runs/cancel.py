"""Cancelling: a mark that the run's engine reads; a run without a working engine is ended directly."""

import logging
from functools import partial
from typing import Final

from dayfly.errors import Superseded
from dayfly.log.reader import committed_of
from dayfly.runs.end import cancelled_now, end_run
from dayfly.runs.state import Ended, Held, read_state
from dayfly.runs.writer import RunWriter
from dayfly.store import keys
from dayfly.store.retry import retry_write
from dayfly.store.rows import CancelRow, LeaseState, RunRow, ThreadRow
from dayfly.store.table import Delete

MARK_KEPT_S: Final = 24 * 3600
"""The end of the run deletes its mark; TTL deletes one that was left over."""
TRIES: Final = 5
"""How often the state is read again if another writer was faster; that writer reads the mark."""

_log = logging.getLogger("dayfly.runs")


def cancel_mark(place: RunRow | ThreadRow, run_id: str, *, now: int) -> CancelRow:
    """The mark that asks a run to end.

    Args:
        place: Names the run's user and thread.
        now: Milliseconds since the epoch.
    """
    expires = now // 1000 + MARK_KEPT_S
    return CancelRow(user_id=place.user_id, thread_id=place.thread_id, run_id=run_id, at=now, expires=expires)


async def end_if_idle(run_writer: RunWriter, run: RunRow) -> None:
    """Ends a run with a cancel mark if no engine works on it: it is queued, was not begun, waits for its user, or its
    lease has expired. If it has ended already, deletes the mark and posts the end again.

    The caller has written the mark before. So if another writer takes the run meanwhile (an engine begins it, the run
    before it ends), either that write fails here, or it was first and its writer reads the mark afterwards.

    Raises `Unsettled`.
    """
    ports = run_writer.ports
    for _ in range(TRIES):
        try:
            state = await read_state(ports.table, run)
            match state:
                case None:
                    return
                case Ended(tail=tail):
                    # The ending took away what marks there were; this one came after it.
                    mark = keys.cancel_mark_key(run.user_id, run.thread_id, run.run_id)
                    await retry_write(ports.table, Delete(mark))
                    await run_writer.in_background(partial(run_writer.post_again, run, committed_of(tail)))
                    return
                case Held(lease=lease) if lease.state is LeaseState.HELD and lease.due > ports.clock.now_ms():
                    return
            await end_run(run_writer, run, state.lease, cancelled_now(run_writer, run))
        except Superseded as reason:
            _log.info("another writer was faster", extra={"run": run.run_id, "reason": str(reason)})
        else:
            return
