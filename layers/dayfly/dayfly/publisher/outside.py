"""Speaking for a run from outside its engine: what the router and recovery stand on."""

import logging
from dataclasses import dataclass

from dayfly.errors import PortError
from dayfly.ports.clock import Clock
from dayfly.ports.invoker import Invoker
from dayfly.ports.meter import Meter
from dayfly.ports.poster import Poster
from dayfly.ports.table import ConditionsFailed, Delete, Matches, Table
from dayfly.protocol.signals import Phase
from dayfly.publisher.announcer import Announcer
from dayfly.publisher.bridge import WebSocketBridge
from dayfly.publisher.delivery import Delivery
from dayfly.publisher.log_writer import Committed, LogPosition
from dayfly.runlog import keys
from dayfly.runlog.rows import LeaseRow, LeaseState, RunRow

_log = logging.getLogger("dayfly.publisher")


@dataclass(frozen=True, slots=True, kw_only=True)
class Outside:
    """The ports. `invocation` is this Lambda invocation's request id."""

    table: Table
    poster: Poster
    invoker: Invoker
    clock: Clock
    meter: Meter
    invocation: str

    @property
    def announcer(self) -> Announcer:
        """For what concerns all of a user's sockets."""
        return Announcer(table=self.table, poster=self.poster)

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
        return WebSocketBridge.at(position, table=self.table, poster=self.poster, clock=self.clock)

    def delivery(self, run: RunRow) -> Delivery:
        """The sockets that watch the run's thread."""
        return Delivery(self.table, self.poster, user=run.user, thread=run.thread, run=run.run)

    async def show(self, run: RunRow, committed: Committed) -> bool:
        """Posts a batch of the log to all who watch now; says whether all were sent it in time. Raises `Unsettled`."""
        delivery = self.delivery(run)
        try:
            delivery.publish(committed)
            await delivery.refresh(phase=Phase.STARTING, elapsed_ms=0)
            return await delivery.drain()
        finally:
            await delivery.close()

    async def post_again(self, run: RunRow, tail: Committed, *, give_up: bool = False) -> None:
        """Posts an ended run's terminal event to all who watch; then, or to `give_up`, drops its lease."""
        posted = await self.show(run, tail)
        lease = await self.table.get(keys.lease_key(run.user, run.run), LeaseRow)
        if (posted or give_up) and lease is not None:
            await self.drop_lease(run)

    async def drop_lease(self, run: RunRow) -> None:
        """The end is written and posted: a lease that stays has the sweep post it once more, no worse."""
        try:
            await self.table.write(Delete(keys.lease_key(run.user, run.run), Matches(state=LeaseState.ENDED)))
        except (ConditionsFailed, PortError) as error:
            _log.info("lease not removed", extra={"run": run.run, "reason": type(error).__name__})
