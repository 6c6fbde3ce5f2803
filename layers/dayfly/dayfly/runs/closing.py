"""Ending a run from outside its engine: the router ends what has not begun, recovery what is lost."""

import asyncio
import logging
from functools import partial

from dayfly.errors import IllegalTransition, Superseded
from dayfly.log.reader import committed_of, steps_of, tail_of
from dayfly.protocol.events import AgentCancelled, TerminalPayload
from dayfly.runs.end import End
from dayfly.runs.finish import commit_end, start_next, tell_end
from dayfly.runs.lease import as_read
from dayfly.runs.tail_retry import retry_at_tail
from dayfly.runs.writer import RunWriter
from dayfly.store import keys
from dayfly.store.rows import LeaseRow, RunRow, ThreadRow
from dayfly.store.table import Matches

_log = logging.getLogger("dayfly.runs")


async def end_run(run_writer: RunWriter, run: RunRow, lease: LeaseRow | None, payload: TerminalPayload) -> bool:
    """Ends the run at the tail of its log, provided the lease is still as it was read; without a lease, provided that
    the run still waits in its thread's queue. Says whether this call ended it; where the run has ended already, its
    terminal event is posted again.

    Raises `Superseded` when somebody who looks after the run was faster, and `Unsettled`.
    """
    return await retry_at_tail(run_writer, run, lease, lambda: _end_at_tail(run_writer, run, lease, payload))


async def cancel_queued(run_writer: RunWriter, thread: ThreadRow) -> None:
    """Ends all runs that wait in a thread's queue, last first, so that none becomes active between. Raises
    `Unsettled`."""
    for name in reversed(thread.queue):
        run = await run_writer.table.get(keys.run_key(thread.user_id, thread.thread_id, name), RunRow)
        if run is None:
            raise IllegalTransition("a run waits in a queue, but is not there")
        waited = max(0, run_writer.clock.now_ms() - run.admitted)
        try:
            await end_run(run_writer, run, None, AgentCancelled(execution_time_ms=waited))
        except Superseded as reason:
            _log.info("not ended", extra={"run": name, "reason": str(reason)})


async def _end_at_tail(run_writer: RunWriter, run: RunRow, lease: LeaseRow | None, payload: TerminalPayload) -> bool:
    tail = await tail_of(run_writer.table, user_id=run.user_id, run_id=run.run_id)
    if tail is None:
        raise Superseded("the run has no log")
    if tail.outcome is not None:
        await run_writer.in_background(partial(run_writer.post_again, run, committed_of(tail)))
        return False
    async with run_writer.bridge(run, next_seq=tail.last + 1) as bridge:
        ending = End(
            run_writer.table,
            run=run,
            steps=lambda: steps_of(run_writer.table, user_id=run.user_id, run_id=run.run_id),
            lease_is=(lambda: Matches(**as_read(lease))) if lease is not None else None,
        )
        committed = await commit_end(run_writer.meter, bridge, payload, ending)
    await asyncio.gather(
        start_next(run_writer, ending),
        run_writer.in_background(partial(tell_end, run_writer, ending, partial(run_writer.show, run, committed))),
    )
    return True
