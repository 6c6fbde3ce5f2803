"""`cancel`: writes a cancel mark, then ends the run if no engine works on it."""

from dayfly.errors import InvalidMessage
from dayfly.protocol.frames import Cancel
from dayfly.protocol.replies import Cancelling
from dayfly.router.request import Request
from dayfly.runs.admit import REQUEST_KEPT_S
from dayfly.runs.cancel import cancel_mark, end_if_idle
from dayfly.runs.lookup import live_run
from dayfly.store.retry import retry_write
from dayfly.store.rows import RequestRow, RequestState
from dayfly.store.table import Absent, Condition, ConditionsFailed, Matches, Put


async def cancel(request: Request, frame: Cancel) -> Cancelling:
    """Cancels a run, or a request that was not admitted yet. The reply promises one terminal event, not which.

    Raises:
        InvalidMessage: The frame names both or neither of `run_id` and `request_id`.
        RunNotFound: There is no such run, or its thread was forgotten.
        Unsettled: The table did not answer.
    """
    if (frame.run_id is None) == (frame.request_id is None):
        raise InvalidMessage("`cancel` names either `run_id` or `request_id`.")
    run_id = frame.run_id or await _run_of_request(request, frame.request_id or "")
    if run_id is None:
        return Cancelling(id=frame.id)
    run = await live_run(request.ports.table, user_id=request.caller.user_id, run_id=run_id)
    await retry_write(request.ports.table, Put(cancel_mark(run, run.run_id, now=request.ports.clock.now_ms())))
    await end_if_idle(request.run_writer, run)
    return Cancelling(id=frame.id, run_id=run.run_id)


async def _run_of_request(request: Request, request_id: str) -> str | None:
    """The run that the request admitted. If there is none, writes the request's row as cancelled, so that a later `run`
    with this id is refused, and returns `None`. A row counts for 24 hours by its own time, however late TTL deletes it.
    """
    now = request.ports.clock.now_ms()
    barrier = RequestRow(
        user_id=request.caller.user_id,
        request_id=request_id,
        state=RequestState.CANCELLED,
        expires=now // 1000 + REQUEST_KEPT_S,
    )
    when: Condition = Absent()
    while True:
        try:
            await retry_write(request.ports.table, Put(barrier, when))
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
