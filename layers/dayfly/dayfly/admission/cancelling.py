"""Cancel: a mark first, then a look at where the run stands."""

import logging

from dayfly.admission import limits
from dayfly.admission.caller import Caller
from dayfly.admission.lookup import run_of
from dayfly.admission.services import Services
from dayfly.errors import InvalidMessage, Superseded
from dayfly.ports.table import Absent, Condition, ConditionsFailed, Delete, Matches, Put
from dayfly.protocol.events import AgentCancelled
from dayfly.protocol.frames import Cancel
from dayfly.protocol.replies import Cancelling
from dayfly.publisher.settle import settle
from dayfly.publisher.transcript import committed_of, tail_of
from dayfly.runlog import keys
from dayfly.runlog.rows import CancelRow, LeaseRow, LeaseState, RequestRow, RequestState, RunRow

_log = logging.getLogger("dayfly.admission")


async def cancel(services: Services, caller: Caller, frame: Cancel) -> Cancelling:
    """Asks a run to end, or keeps a request that was not yet accepted from being admitted.

    The answer promises one terminal event, not which. Raises `RunNotFound`, `InvalidMessage`, `Unsettled`.
    """
    if (frame.run_id is None) == (frame.request_id is None):
        raise InvalidMessage("`cancel` names either `run_id` or `request_id`.")
    run_id = frame.run_id or await _run_of_request(services, caller, frame.request_id or "")
    if run_id is None:
        return Cancelling(id=frame.id)
    run = await run_of(services.table, user=caller.user, run=run_id)
    now = services.clock.now_ms()
    mark = CancelRow(
        user=caller.user,
        thread=run.thread,
        run=run.run,
        at=now,
        expires=now // 1000 + limits.REQUEST_KEPT_S,
    )
    await settle(services.table, Put(mark))
    await _end_if_not_begun(services, caller, run, now=now)
    return Cancelling(id=frame.id, run_id=run.run)


async def _run_of_request(services: Services, caller: Caller, request: str) -> str | None:
    """The run that the request admitted; where there is none, a row that makes the `run` to come answer `cancelled`. A
    remembered id counts for 24 hours by its own time, however late TTL removes it."""
    now = services.clock.now_ms()
    barrier = RequestRow(
        user=caller.user,
        request=request,
        state=RequestState.CANCELLED,
        expires=now // 1000 + limits.REQUEST_KEPT_S,
    )
    when: Condition = Absent()
    while True:
        try:
            await settle(services.table, Put(barrier, when))
        except ConditionsFailed as failed:
            there = failed.found[0]
            if not isinstance(there, RequestRow):
                when = Absent()
            elif there.expires * 1000 > now:
                return there.run
            else:
                when = Matches(expires=there.expires)
        else:
            return None


async def _end_if_not_begun(services: Services, caller: Caller, run: RunRow, *, now: int) -> None:
    """Ends a run that no engine has begun: nobody else would. Of this and an engine that begins now one wins; the
    engine that wins reads the mark, which was written before."""
    outside = services.outside(caller)
    tail = await tail_of(services.table, user=run.user, run=run.run)
    if tail is not None and tail.outcome is not None:
        # The ending took away what marks there were; this one came after it.
        await settle(services.table, Delete(keys.cancel_mark_key(run.user, run.thread, run.run)))
        await outside.post_again(run, committed_of(tail))
        return
    lease = await services.table.get(keys.lease_key(run.user, run.run), LeaseRow)
    if tail is None or tail.last >= run.first_seq or lease is None or lease.state != LeaseState.WAITING:
        return
    try:
        await outside.end(run, lease, AgentCancelled(execution_time_ms=max(0, now - run.admitted)))
    except Superseded as reason:
        _log.info("an engine was faster", extra={"run": run.run, "reason": str(reason)})
