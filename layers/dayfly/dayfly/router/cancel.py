"""Cancel: a mark first, then a look at where the run stands."""

import logging
from functools import partial
from typing import Final

from dayfly.context.caller import Caller
from dayfly.errors import InvalidMessage, Superseded
from dayfly.log.reader import committed_of, tail_of
from dayfly.protocol.events import AgentCancelled
from dayfly.protocol.frames import Cancel
from dayfly.protocol.replies import Cancelling
from dayfly.router.services import Services
from dayfly.runs import quotas
from dayfly.runs.admit import cancel_mark
from dayfly.runs.closing import end_run
from dayfly.runs.lookup import live_run
from dayfly.store import keys
from dayfly.store.retry import retry_write
from dayfly.store.rows import LeaseRow, LeaseState, RequestRow, RequestState, RunRow
from dayfly.store.table import Absent, Condition, ConditionsFailed, Delete, Matches, Put

TRIES: Final = 5
"""How often it is looked again, where somebody was faster; whoever that was honours the mark."""

_log = logging.getLogger("dayfly.router")


async def cancel(services: Services, caller: Caller, frame: Cancel) -> Cancelling:
    """Asks a run to end, or keeps a request that was not yet accepted from being admitted.

    The answer promises one terminal event, not which. Raises `RunNotFound`, `InvalidMessage`, `Unsettled`.
    """
    if (frame.run_id is None) == (frame.request_id is None):
        raise InvalidMessage("`cancel` names either `run_id` or `request_id`.")
    run_id = frame.run_id or await _run_of_request(services, caller, frame.request_id or "")
    if run_id is None:
        return Cancelling(id=frame.id)
    run = await live_run(services.table, user_id=caller.user_id, run_id=run_id)
    await retry_write(services.table, Put(cancel_mark(run, run.run_id, now=services.clock.now_ms())))
    await end_if_idle(services, caller, run)
    return Cancelling(id=frame.id, run_id=run.run_id)


async def _run_of_request(services: Services, caller: Caller, request_id: str) -> str | None:
    """The run that the request admitted; where there is none, a row that makes the `run` to come answer `cancelled`. A
    remembered id counts for 24 hours by its own time, however late TTL removes it."""
    now = services.clock.now_ms()
    barrier = RequestRow(
        user_id=caller.user_id,
        request_id=request_id,
        state=RequestState.CANCELLED,
        expires=now // 1000 + quotas.REQUEST_KEPT_S,
    )
    when: Condition = Absent()
    while True:
        try:
            await retry_write(services.table, Put(barrier, when))
        except ConditionsFailed as failed:
            there = failed.found[0]
            if not isinstance(there, RequestRow):
                when = Absent()
            elif there.expires * 1000 > now:
                return there.run_id
            else:
                when = Matches(expires=there.expires)
        else:
            return None


async def end_if_idle(services: Services, caller: Caller, run: RunRow) -> None:
    """Ends a run with a cancel mark that no engine is at work on: one that is queued, that none has begun, that waits
    for its user, or whose engine has let its lease run out.

    The mark was written before anything is read here. So where another takes the run meanwhile (an engine begins it,
    the run before it ends), either that one's conditions fail, or its transaction came first, and then it reads the
    mark afterwards.
    """
    run_writer = services.run_writer(caller)
    for _ in range(TRIES):
        tail = await tail_of(services.table, user_id=run.user_id, run_id=run.run_id)
        if tail is not None and tail.outcome is not None:
            # The ending took away what marks there were; this one came after it.
            await retry_write(services.table, Delete(keys.cancel_mark_key(run.user_id, run.thread_id, run.run_id)))
            await run_writer.in_background(partial(run_writer.post_again, run, committed_of(tail)))
            return
        lease = await services.table.get(keys.lease_key(run.user_id, run.run_id), LeaseRow)
        now = services.clock.now_ms()
        if lease is not None and lease.state == LeaseState.HELD and lease.due > now:
            return
        try:
            await end_run(run_writer, run, lease, AgentCancelled(execution_time_ms=max(0, now - run.admitted)))
        except Superseded as reason:
            _log.info("somebody was faster", extra={"run": run.run_id, "reason": str(reason)})
        else:
            return
