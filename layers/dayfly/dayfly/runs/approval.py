"""Answering a tool call that waits for its user: answers gather in the run's row, and the last one resumes the run."""

from dataclasses import replace

from dayfly.context.ids import new_nonce
from dayfly.errors import ApprovalClosed, Superseded
from dayfly.log.messages import Decision, decision_to_json, decisions_in
from dayfly.runs.lease import as_read
from dayfly.runs.lookup import live_run
from dayfly.runs.resume import open_attempt
from dayfly.runs.writer import RunWriter
from dayfly.store import keys
from dayfly.store.retry import retry_write
from dayfly.store.rows import LeaseRow, LeaseState, RunRow
from dayfly.store.table import Check, ConditionsFailed, Matches, Put


async def answer_call(run_writer: RunWriter, *, user_id: str, run_id: str, decision: Decision) -> None:
    """Stores the user's answer. If no call is open after it, opens the run's next attempt in the same transaction.

    Raises:
        RunNotFound: There is no such run, or its thread was forgotten.
        ApprovalClosed: The call does not wait for an answer, or no longer.
        Unsettled: The table did not answer.
    """
    while True:
        run = await live_run(run_writer.ports.table, user_id=user_id, run_id=run_id)
        lease = await _open_lease(run_writer, run, decision.call_id)
        pending = tuple(call for call in run.pending if call != decision.call_id)
        answers = (*run.answers, decision_to_json(decision))
        if pending:
            later = replace(run, pending=pending, answers=answers, answered=run.answered + 1)
            if await _stored(run_writer, run, later, lease):
                return
        else:
            try:
                await open_attempt(run_writer, run, lease, "answered", decisions=decisions_in(answers))
            except Superseded:
                continue
            return


async def _open_lease(run_writer: RunWriter, run: RunRow, call_id: str) -> LeaseRow:
    """The lease of a run that waits for an answer to this call. Raises `ApprovalClosed` if it does not."""
    lease = await run_writer.ports.table.get(keys.lease_key(run.user_id, run.run_id), LeaseRow)
    if (
        lease is None
        or lease.state is not LeaseState.APPROVAL
        or lease.attempt != run.attempt
        or call_id not in run.pending
        or run_writer.ports.clock.now_ms() >= lease.due
    ):
        raise ApprovalClosed("This call does not wait for approval any more.")
    return lease


async def _stored(run_writer: RunWriter, run: RunRow, later: RunRow, lease: LeaseRow) -> bool:
    """Stores the answer. Returns `False` if run or lease have changed."""
    as_it_was = Matches(attempt=run.attempt, first_seq=run.first_seq, answered=run.answered)
    unchanged = Check(lease.key, Matches(**as_read(lease)))
    try:
        # Under a token: a repeat is told that it was done even if another answer was taken since.
        await retry_write(run_writer.ports.table, Put(later, as_it_was), unchanged, token=new_nonce())
    except ConditionsFailed as failed:
        return failed.found.get(0) == later  # the same answer from another device
    return True
