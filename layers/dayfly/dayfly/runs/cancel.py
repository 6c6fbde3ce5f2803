"""Cancel: a mark beside the audience, seen by the run's engine; whoever finds no engine at work ends the run itself."""

import logging
from functools import partial
from typing import Final

from dayfly.errors import Superseded
from dayfly.log.reader import committed_of
from dayfly.protocol.events import AgentCancelled
from dayfly.runs.end import end_run
from dayfly.runs.state import Ended, Held, read_state
from dayfly.runs.writer import RunWriter
from dayfly.store import keys
from dayfly.store.retry import retry_write
from dayfly.store.rows import CancelRow, LeaseState, RunRow, ThreadRow
from dayfly.store.table import Delete

MARK_KEPT_S: Final = 24 * 3600
"""A mark goes with its run; TTL takes one that was left behind."""
TRIES: Final = 5
"""How often it is looked again, where somebody was faster; whoever that was honours the mark."""

_log = logging.getLogger("dayfly.runs")


def cancel_mark(place: RunRow | ThreadRow, run_id: str, *, now: int) -> CancelRow:
    """The mark that asks a run to end; `place` names its user and thread, `now` is in milliseconds since the epoch."""
    expires = now // 1000 + MARK_KEPT_S
    return CancelRow(user_id=place.user_id, thread_id=place.thread_id, run_id=run_id, at=now, expires=expires)


async def end_if_idle(run_writer: RunWriter, run: RunRow) -> None:
    """Ends a run with a cancel mark that no engine is at work on: one that is queued, that none has begun, that waits
    for its user, or whose engine has let its lease run out. Raises `Unsettled`.

    The mark was written before anything is read here. So where another takes the run meanwhile (an engine begins it,
    the run before it ends), either that one's conditions fail, or its transaction came first, and then it reads the
    mark afterwards.
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
            took_ms = max(0, ports.clock.now_ms() - run.admitted)
            await end_run(run_writer, run, state.lease, AgentCancelled(execution_time_ms=took_ms))
        except Superseded as reason:
            _log.info("somebody was faster", extra={"run": run.run_id, "reason": str(reason)})
        else:
            return
