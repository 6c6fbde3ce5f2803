"""Opening a run's next attempt from outside its engine: recovery after a loss, the router after an approval."""

import asyncio
from collections.abc import Iterable, Sequence
from typing import Final

from dayfly.errors import IllegalTransition, Superseded
from dayfly.log.fold import LogStep, Said
from dayfly.log.messages import Decision
from dayfly.log.reader import log_of
from dayfly.log.resumption import resumption_of
from dayfly.protocol.events import AgentResumed, ResumeReason
from dayfly.runs.fence import OpenAttempt
from dayfly.runs.lease import as_read
from dayfly.runs.starting import start_engine
from dayfly.runs.tail_retry import retry_at_tail
from dayfly.runs.writer import RunWriter
from dayfly.store.rows import LeaseRow, RunRow
from dayfly.store.table import Matches

SHOWN_WITHIN_S: Final = 2.0
"""How long slow sockets are waited for: the next event shows them the gap."""


async def open_attempt(
    run_writer: RunWriter,
    run: RunRow,
    lease: LeaseRow,
    reason: ResumeReason,
    *,
    decisions: Sequence[Decision] = (),
    later: RunRow | None = None,
) -> RunRow:
    """Fences off the present attempt and opens the next, provided that run and lease are still as they were read; posts
    `agent_resumed`, asks for the engine, and returns the run as that attempt has it. `later` is the row with what else
    becomes of it. Raises `Superseded` when somebody who looks after the run was faster, and `Unsettled`.
    """
    return await retry_at_tail(
        run_writer,
        run,
        lease,
        lambda: _open_at_tail(run_writer, run, lease, reason, decisions=decisions, later=later),
    )


async def _open_at_tail(
    run_writer: RunWriter,
    run: RunRow,
    lease: LeaseRow,
    reason: ResumeReason,
    *,
    decisions: Sequence[Decision],
    later: RunRow | None,
) -> RunRow:
    log = await log_of(run_writer.table, user_id=run.user_id, run_id=run.run_id)
    if log.tail is None or log.tail.outcome is not None:
        raise Superseded("the run has ended")
    fence = OpenAttempt(run, lease_is=lambda: Matches(**as_read(lease)), later=later)
    async with run_writer.bridge(run, next_seq=log.tail.last + 1) as bridge:
        for decision in decisions:
            bridge.note(decision)
        resumed = AgentResumed(attempt=run.attempt + 1, reason=reason, discard_after=void_after(log.steps))
        committed = await bridge.commit(resumed, fence, last=True)
    if fence.opened is None:
        raise IllegalTransition("a fence was committed without its transaction")

    async def show() -> None:
        await run_writer.show(run, committed, drain_s=SHOWN_WITHIN_S)

    await asyncio.gather(start_engine(run_writer.invoker, fence.opened), run_writer.in_background(show))
    return fence.opened


def void_after(steps: Iterable[LogStep]) -> int | None:
    """The seq after which text is void for a run that goes on from these steps; `None` where no text is."""
    steps = tuple(steps)
    completed = resumption_of(steps).completed
    return completed if any(isinstance(step, Said) and step.seq > completed for step in steps) else None
