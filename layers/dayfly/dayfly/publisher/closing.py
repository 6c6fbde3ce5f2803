"""Ending a run from outside its engine: the router ends what has not begun, recovery what is lost."""

import asyncio
import logging
from functools import partial

from dayfly.errors import IllegalTransition, Superseded
from dayfly.ports.table import Matches
from dayfly.protocol.events import AgentCancelled, TerminalPayload
from dayfly.publisher.behind import behind_what_lands
from dayfly.publisher.ending import Ending
from dayfly.publisher.finish import commit_end, start_next, tell_end
from dayfly.publisher.outside import Outside
from dayfly.publisher.transcript import committed_of, steps_of, tail_of
from dayfly.runlog import keys
from dayfly.runlog.leasing import as_read
from dayfly.runlog.rows import LeaseRow, RunRow, ThreadRow

_log = logging.getLogger("dayfly.publisher")


async def end_run(outside: Outside, run: RunRow, lease: LeaseRow | None, payload: TerminalPayload) -> bool:
    """Ends the run at the tail of its log, provided the lease is still as it was read; without a lease, provided that
    the run still waits in its thread's queue. Says whether this call ended it; where the run has ended already, its
    terminal event is posted again.

    Raises `Superseded` when somebody who looks after the run was faster, and `Unsettled`.
    """
    return await behind_what_lands(outside, run, lease, lambda: _end_at_tail(outside, run, lease, payload))


async def cancel_queued(outside: Outside, thread: ThreadRow) -> None:
    """Ends all runs that wait in a thread's queue, last first, so that none becomes active between. Raises
    `Unsettled`."""
    for name in reversed(thread.queue):
        run = await outside.table.get(keys.run_key(thread.user, thread.thread, name), RunRow)
        if run is None:
            raise IllegalTransition("a run waits in a queue, but is not there")
        waited = max(0, outside.clock.now_ms() - run.admitted)
        try:
            await end_run(outside, run, None, AgentCancelled(execution_time_ms=waited))
        except Superseded as reason:
            _log.info("not ended", extra={"run": name, "reason": str(reason)})


async def _end_at_tail(outside: Outside, run: RunRow, lease: LeaseRow | None, payload: TerminalPayload) -> bool:
    tail = await tail_of(outside.table, user=run.user, run=run.run)
    if tail is None:
        raise Superseded("the run has no log")
    if tail.outcome is not None:
        await outside.see_to(partial(outside.post_again, run, committed_of(tail)))
        return False
    async with outside.bridge(run, next_seq=tail.last + 1) as bridge:
        ending = Ending(
            outside.table,
            run=run,
            steps=lambda: steps_of(outside.table, user=run.user, run=run.run),
            lease_is=(lambda: Matches(**as_read(lease))) if lease is not None else None,
        )
        committed = await commit_end(outside.meter, bridge, payload, ending)
    await asyncio.gather(
        start_next(outside, ending),
        outside.see_to(partial(tell_end, outside, ending, partial(outside.show, run, committed))),
    )
    return True
