"""Opening a run's next attempt from outside its engine: recovery after a loss, the router after an approval."""

import asyncio
from collections.abc import Iterable, Sequence
from typing import Final

from dayfly.errors import IllegalTransition, Superseded
from dayfly.ports.table import Matches
from dayfly.protocol.events import AgentResumed, ResumeReason
from dayfly.publisher.behind import behind_what_lands
from dayfly.publisher.fence import Fence
from dayfly.publisher.outside import Outside
from dayfly.publisher.starting import start_engine
from dayfly.publisher.transcript import log_of
from dayfly.runlog.history import Said, Step
from dayfly.runlog.leasing import as_read
from dayfly.runlog.messages import Decision
from dayfly.runlog.resumption import resumption_of
from dayfly.runlog.rows import LeaseRow, RunRow

SHOWN_WITHIN_S: Final = 2.0
"""How long slow sockets are waited for: the next event shows them the gap."""


async def open_attempt(
    outside: Outside,
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
    return await behind_what_lands(
        outside,
        run,
        lease,
        lambda: _open_at_tail(outside, run, lease, reason, decisions=decisions, later=later),
    )


async def _open_at_tail(
    outside: Outside,
    run: RunRow,
    lease: LeaseRow,
    reason: ResumeReason,
    *,
    decisions: Sequence[Decision],
    later: RunRow | None,
) -> RunRow:
    log = await log_of(outside.table, user=run.user, run=run.run)
    if log.tail is None or log.tail.outcome is not None:
        raise Superseded("the run has ended")
    fence = Fence(run, lease_is=lambda: Matches(**as_read(lease)), later=later)
    async with outside.bridge(run, next_seq=log.tail.last + 1) as bridge:
        for decision in decisions:
            bridge.note(decision)
        resumed = AgentResumed(attempt=run.attempt + 1, reason=reason, discard_after=void_after(log.steps))
        committed = await bridge.commit(resumed, fence, last=True)
    if fence.opened is None:
        raise IllegalTransition("a fence was committed without its transaction")

    async def show() -> None:
        await outside.show(run, committed, drain_s=SHOWN_WITHIN_S)

    await asyncio.gather(start_engine(outside.invoker, fence.opened), outside.see_to(show))
    return fence.opened


def void_after(steps: Iterable[Step]) -> int | None:
    """The seq after which text is void for a run that goes on from these steps; `None` where no text is."""
    steps = tuple(steps)
    completed = resumption_of(steps).completed
    return completed if any(isinstance(step, Said) and step.seq > completed for step in steps) else None
