"""The user's answers to tool calls that need approval."""

from dataclasses import replace

from dayfly.context.ids import new_nonce
from dayfly.errors import ApprovalClosed, Superseded
from dayfly.log.messages import Decision, decision_to_json, decisions_in
from dayfly.protocol.frames import Approve
from dayfly.protocol.replies import Approved
from dayfly.router.request import Request
from dayfly.runs.lease import as_read
from dayfly.runs.lookup import live_run
from dayfly.runs.resume import open_attempt
from dayfly.store import keys
from dayfly.store.retry import retry_write
from dayfly.store.rows import LeaseRow, LeaseState, RunRow
from dayfly.store.table import Check, ConditionsFailed, Matches, Put


async def approve(request: Request, frame: Approve) -> Approved:
    """Stores the user's answer. If no call is open after it, opens the run's next attempt in the same transaction.

    Raises:
        RunNotFound: There is no such run, or its thread was forgotten.
        ApprovalClosed: The call does not wait for an answer, or no longer.
        Unsettled: The table did not answer.
    """
    decision = Decision(frame.tool_call_id, frame.approved, frame.reason or "")
    while True:
        run = await live_run(request.ports.table, user_id=request.caller.user_id, run_id=frame.run_id)
        lease = await _open_lease(request, run, decision.call_id)
        pending = tuple(call for call in run.pending if call != decision.call_id)
        answers = (*run.answers, decision_to_json(decision))
        if pending:
            later = replace(run, pending=pending, answers=answers, answered=run.answered + 1)
            if await _kept(request, run, later, lease):
                break
        else:
            run_writer = request.run_writer
            try:
                await open_attempt(run_writer, run, lease, "answered", decisions=decisions_in(answers))
            except Superseded:
                continue
            break
    return Approved(id=frame.id, run_id=run.run_id)


async def _open_lease(request: Request, run: RunRow, call_id: str) -> LeaseRow:
    """The lease of a run that waits for an answer to this call. Raises `ApprovalClosed` if it does not."""
    lease = await request.ports.table.get(keys.lease_key(run.user_id, run.run_id), LeaseRow)
    if (
        lease is None
        or lease.state != LeaseState.APPROVAL
        or lease.attempt != run.attempt
        or call_id not in run.pending
        or request.ports.clock.now_ms() >= lease.due
    ):
        raise ApprovalClosed("This call does not wait for approval any more.")
    return lease


async def _kept(request: Request, run: RunRow, later: RunRow, lease: LeaseRow) -> bool:
    """Stores the answer. Returns `False` if run or lease have changed."""
    as_it_was = Matches(attempt=run.attempt, first_seq=run.first_seq, answered=run.answered)
    try:
        # Under a token: a repeat is told that it was done even if another answer was taken since.
        await retry_write(
            request.ports.table, Put(later, as_it_was), Check(lease.key, Matches(**as_read(lease))), token=new_nonce()
        )
    except ConditionsFailed as failed:
        return failed.found.get(0) == later  # the same answer from another device
    return True
