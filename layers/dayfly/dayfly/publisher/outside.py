"""Ending a run from outside its engine: the router ends what has not begun, recovery what is lost."""

import logging
from dataclasses import dataclass
from typing import Final

from dayfly.errors import PortError, Superseded
from dayfly.ports.clock import Clock
from dayfly.ports.meter import Meter
from dayfly.ports.poster import Poster
from dayfly.ports.table import ConditionsFailed, Delete, Matches, Table
from dayfly.protocol.events import TerminalPayload
from dayfly.protocol.signals import Phase
from dayfly.publisher.bridge import WebSocketBridge
from dayfly.publisher.delivery import Delivery
from dayfly.publisher.ending import Ending
from dayfly.publisher.finish import finish
from dayfly.publisher.log_writer import Committed, LogPosition, LogWriter
from dayfly.publisher.transcript import committed_of, steps_of, tail_of
from dayfly.runlog import keys
from dayfly.runlog.rows import LeaseRow, LeaseState, RunRow

BEHIND_S: Final = 2.0

_log = logging.getLogger("dayfly.publisher")


@dataclass(frozen=True, slots=True, kw_only=True)
class Outside:
    """What is needed to speak for a run from outside. `invocation` is this Lambda invocation's request id."""

    table: Table
    poster: Poster
    clock: Clock
    meter: Meter
    invocation: str

    def bridge(self, run: RunRow, *, next_seq: int) -> WebSocketBridge:
        """A bridge that writes at `next_seq` of the run's log, under a nonce of its own."""
        position = LogPosition(
            user=run.user,
            thread=run.thread,
            run=run.run,
            agent_name=run.agent,
            invocation=self.invocation,
            next_seq=next_seq,
        )
        return WebSocketBridge(LogWriter(self.table, self.clock, position), self.delivery(run), self.clock)

    def delivery(self, run: RunRow) -> Delivery:
        """The sockets that watch the run's thread."""
        return Delivery(self.table, self.poster, user=run.user, thread=run.thread, run=run.run)

    async def end(self, run: RunRow, lease: LeaseRow, payload: TerminalPayload) -> bool:
        """Ends the run at the tail of its log, provided the lease is still as it was read. Says whether this call
        ended it; where the run has ended already, its terminal event is posted again.

        What a dead engine had under way may still land at the tail: as long as the lease is as it was, the end is tried
        again behind it, for up to 2 seconds. Raises `Superseded` when somebody who looks after the run was faster, and
        `Unsettled`.
        """
        until = self.clock.monotonic() + BEHIND_S
        while True:
            try:
                return await self._end_at_tail(run, lease, payload)
            except Superseded:
                now = await self.table.get(lease.key, LeaseRow)
                if now != lease or self.clock.monotonic() > until:
                    raise

    async def _end_at_tail(self, run: RunRow, lease: LeaseRow, payload: TerminalPayload) -> bool:
        tail = await tail_of(self.table, user=run.user, run=run.run)
        if tail is None:
            raise Superseded("the run has no log")
        if tail.outcome is not None:
            await self.post_again(run, committed_of(tail))
            return False
        async with self.bridge(run, next_seq=tail.last + 1) as bridge:
            as_read = Matches(state=lease.state, nonce=lease.nonce, due=lease.due, first_seq=lease.first_seq)
            ending = Ending(
                self.table,
                self.clock,
                run=run,
                steps=lambda: steps_of(self.table, user=run.user, run=run.run),
                lease_is=as_read,
            )
            if await finish(bridge, payload, ending, self.meter):
                await self._drop_lease(lease)
        return True

    async def post_again(self, run: RunRow, tail: Committed, *, give_up: bool = False) -> None:
        """Posts an ended run's terminal event to all who watch; then, or to `give_up`, drops its lease."""
        posted = await self.show(run, tail)
        lease = await self.table.get(keys.lease_key(run.user, run.run), LeaseRow)
        if (posted or give_up) and lease is not None:
            await self._drop_lease(lease)

    async def show(self, run: RunRow, committed: Committed) -> bool:
        """Posts a batch of the log to all who watch now; says whether all were sent it in time. Raises `Unsettled`."""
        delivery = self.delivery(run)
        try:
            delivery.publish(committed)
            await delivery.refresh(phase=Phase.STARTING, elapsed_ms=0)
            return await delivery.drain()
        finally:
            await delivery.close()

    async def _drop_lease(self, lease: LeaseRow) -> None:
        """The end is written and posted: a lease that stays has the sweep post it once more, no worse."""
        try:
            await self.table.write(Delete(lease.key, Matches(state=LeaseState.ENDED)))
        except (ConditionsFailed, PortError) as error:
            _log.info("lease not removed", extra={"run": lease.run, "reason": type(error).__name__})
