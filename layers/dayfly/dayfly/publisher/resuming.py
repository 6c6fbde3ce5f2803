"""Opening a run's next attempt from outside its engine: recovery after a loss, the router after an approval."""

import asyncio
import logging
from collections.abc import Iterable, Sequence
from typing import Final

from dayfly.errors import IllegalTransition, Superseded, Unsettled
from dayfly.ports.table import Matches
from dayfly.protocol.events import AgentResumed, ResumeReason
from dayfly.protocol.signals import Phase
from dayfly.publisher.bridge import WebSocketBridge
from dayfly.publisher.closing import BEHIND_S
from dayfly.publisher.fence import Fence
from dayfly.publisher.outside import Outside
from dayfly.publisher.starting import start_engine
from dayfly.publisher.transcript import log_of
from dayfly.runlog import keys
from dayfly.runlog.history import Said, Step
from dayfly.runlog.leasing import as_read
from dayfly.runlog.messages import Decision
from dayfly.runlog.resumption import resumption_of
from dayfly.runlog.rows import LeaseRow, RunRow

SHOWN_WITHIN_S: Final = 2.0

_log = logging.getLogger("dayfly.publisher")


async def open_attempt(
    outside: Outside,
    run: RunRow,
    lease: LeaseRow,
    reason: ResumeReason,
    *,
    decisions: Sequence[Decision] = (),
    changes: dict[str, int] | None = None,
) -> RunRow:
    """Fences off the present attempt and opens the next, provided that run and lease are still as they were read; posts
    `agent_resumed`, asks for the engine, and returns the run as that attempt has it.

    What a dead engine had under way may still land at the tail: the fence is tried again behind it, for up to 2
    seconds. Raises `Superseded` when somebody who looks after the run was faster, and `Unsettled`.
    """
    until = outside.clock.monotonic() + BEHIND_S
    while True:
        try:
            return await _open_at_tail(outside, run, lease, reason, decisions=decisions, changes=changes or {})
        except Superseded:
            now = await outside.table.get(keys.lease_key(run.user, run.run), LeaseRow)
            if now != lease or outside.clock.monotonic() > until:
                raise


async def _open_at_tail(
    outside: Outside,
    run: RunRow,
    lease: LeaseRow,
    reason: ResumeReason,
    *,
    decisions: Sequence[Decision],
    changes: dict[str, int],
) -> RunRow:
    log = await log_of(outside.table, user=run.user, run=run.run)
    if log.tail is None or log.tail.outcome is not None:
        raise Superseded("the run has ended")
    fence = Fence(run, lease, lease_is=lambda: Matches(**as_read(lease)), changes=changes)
    async with outside.bridge(run, next_seq=log.tail.last + 1) as bridge:
        for decision in decisions:
            bridge.note(decision)
        resumed = AgentResumed(attempt=run.attempt + 1, reason=reason, discard_after=void_after(log.steps))
        await bridge.commit(resumed, fence, last=True)
        if fence.opened is None:
            raise IllegalTransition("a fence was committed without its transaction")
        await asyncio.gather(start_engine(outside.invoker, fence.opened), _show(bridge))
    return fence.opened


async def _show(bridge: WebSocketBridge) -> None:
    """Whoever misses the record here sees the gap by the next event."""
    try:
        await bridge.delivery.refresh(phase=Phase.STARTING, elapsed_ms=0)
    except Unsettled:
        _log.warning("audience not read")
    await bridge.delivery.drain(patience_s=SHOWN_WITHIN_S)


def void_after(steps: Iterable[Step]) -> int | None:
    """The seq after which text is void for a run that goes on from these steps; `None` where no text is."""
    steps = tuple(steps)
    completed = resumption_of(steps).completed
    return completed if any(isinstance(step, Said) and step.seq > completed for step in steps) else None
