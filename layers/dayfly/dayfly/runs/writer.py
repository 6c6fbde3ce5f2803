"""Speaking for a run from outside its engine: what the router and recovery stand on."""

import logging
from dataclasses import dataclass, replace
from typing import Final

from dayfly.clock import Clock
from dayfly.delivery.announcer import Announcer
from dayfly.delivery.background import BackgroundTask, BackgroundTasks
from dayfly.delivery.bridge import WebSocketBridge
from dayfly.delivery.broadcast import DRAIN_S, Broadcast
from dayfly.delivery.flush import flush
from dayfly.delivery.poster import Poster
from dayfly.errors import PortError
from dayfly.log.writer import Committed, LogPosition
from dayfly.metrics import Meter
from dayfly.runs.invoker import Invoker
from dayfly.store import keys
from dayfly.store.rows import LeaseRow, LeaseState, RunRow
from dayfly.store.table import Action, ConditionsFailed, Delete, Matches, Put, Table

AGAIN_WITHIN_S: Final = 2.0
"""How long a socket is waited for that was not sent the end before."""
PUT_OFF_MS: Final = 30_000
MOST_PUT_OFF_MS: Final = 15 * 60 * 1000
"""An end that was posted in vain is posted again after half a minute at the earliest, then each time after twice as
long, up to this."""

_log = logging.getLogger("dayfly.runs")


@dataclass(frozen=True, slots=True, kw_only=True)
class RunWriter:
    """The ports. `invocation` is this Lambda invocation's request id; `errands` runs what nobody has to wait for."""

    table: Table
    poster: Poster
    invoker: Invoker
    clock: Clock
    meter: Meter
    invocation_id: str
    background: BackgroundTasks | None = None

    @property
    def announcer(self) -> Announcer:
        """For what concerns all of a user's sockets."""
        return Announcer(table=self.table, poster=self.poster)

    def bridge(self, run: RunRow, *, next_seq: int) -> WebSocketBridge:
        """A bridge that writes at `next_seq` of the run's log, under a nonce of its own."""
        position = LogPosition(
            ref=run.ref,
            agent_name=run.agent_name,
            invocation_id=self.invocation_id,
            next_seq=next_seq,
        )
        return WebSocketBridge.at(position, table=self.table, poster=self.poster, clock=self.clock)

    def delivery(self, run: RunRow) -> Broadcast:
        """The sockets that watch the run's thread."""
        return Broadcast(self.table, self.poster, run.ref)

    async def in_background(self, errand: BackgroundTask) -> None:
        """Carries the errand out: beside what comes next, or now where this invocation keeps no errands."""
        if self.background is None:
            await errand()
        else:
            self.background.add(errand)

    async def show(self, run: RunRow, committed: Committed, *, drain_s: float = DRAIN_S) -> bool:
        """Posts a batch of the log to all who watch now; says whether all were sent it in time."""
        delivery = self.delivery(run)
        try:
            delivery.publish(committed)
            return (await flush(delivery, drain_s=drain_s)).posted
        finally:
            await delivery.close()

    async def post_again(self, run: RunRow, tail: Committed, *, give_up: bool = False) -> None:
        """Posts an ended run's terminal event to all who watch. Where that reached them, or to `give_up`, it drops the
        run's lease, and else puts it off. Raises `Unsettled`."""
        posted = await self.show(run, tail, drain_s=AGAIN_WITHIN_S)
        lease = await self.table.get(keys.lease_key(run.user_id, run.run_id), LeaseRow)
        if lease is None:
            return
        if posted or give_up:
            await self.drop_lease(run)
        else:
            await self._put_off(lease, ended=tail.row.at)

    async def drop_lease(self, run: RunRow) -> None:
        """The end is written and posted: a lease that stays has the sweep post it once more, no worse."""
        await self._change(run.run_id, Delete(keys.lease_key(run.user_id, run.run_id), Matches(state=LeaseState.ENDED)))

    async def _put_off(self, lease: LeaseRow, *, ended: int) -> None:
        """A socket that takes nothing must not have its ends stand before those of others in every sweep.
        Whoever reads again meanwhile misses nothing: the end is in the log."""
        now = self.clock.now_ms()
        later = replace(lease, due=now + min(max(PUT_OFF_MS, now - ended), MOST_PUT_OFF_MS))
        await self._change(lease.run_id, Put(later, Matches(state=LeaseState.ENDED, due=lease.due)))

    async def _change(self, run_id: str, action: Action) -> None:
        try:
            await self.table.write(action)
        except (ConditionsFailed, PortError) as error:
            _log.info("lease left as it is", extra={"run": run_id, "reason": type(error).__name__})
