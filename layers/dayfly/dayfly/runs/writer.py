"""Writing a run's log without its engine, and posting what was written: for router and recovery."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final, TypeVar

from dayfly.delivery.announcer import Announcer
from dayfly.delivery.background import BackgroundTask, BackgroundTasks
from dayfly.delivery.bridge import WebSocketBridge
from dayfly.delivery.broadcast import DRAIN_S, Broadcast
from dayfly.errors import PortError, Superseded
from dayfly.log.journal import JournalMessage
from dayfly.log.writer import Committed, LogPosition, Transition
from dayfly.protocol.events import AnyPayload
from dayfly.runs.invoker import EngineCall
from dayfly.runs.ports import Ports
from dayfly.store import keys
from dayfly.store.rows import LeaseRow, LeaseState, RunRow
from dayfly.store.table import Action, ConditionsFailed, Delete, Matches, Put

POST_AGAIN_WITHIN_S: Final = 2.0
"""How long a socket is waited for that was not sent the end before."""
PUT_OFF_MS: Final = 30_000
MOST_PUT_OFF_MS: Final = 15 * 60 * 1000
"""An end that was posted in vain is posted again after half a minute at the earliest, then each time after twice as
long, up to this."""
RETRY_AT_TAIL_S: Final = 2.0
"""How long a write at the tail is repeated, since a dead engine's last append may still land. If appends land for
longer, an engine lives."""
PAUSE_S: Final = 0.02

T = TypeVar("T")
ResultT = TypeVar("ResultT")

_log = logging.getLogger("dayfly.runs")


@dataclass(frozen=True, slots=True, kw_only=True)
class RunWriter:
    """Writes runs' logs for one invocation.

    Args:
        invocation_id: The invocation's id, which each record holds.
        background: Runs what the reply does not wait for; `None`: it is awaited.
    """

    ports: Ports
    invocation_id: str
    background: BackgroundTasks | None = None

    @property
    def announcer(self) -> Announcer:
        """Posts to all of a user's sockets."""
        return Announcer(table=self.ports.table, poster=self.ports.poster)

    async def append(
        self,
        run: RunRow,
        payload: AnyPayload,
        transition: Transition[ResultT],
        *,
        next_seq: int,
        journal: Sequence[JournalMessage] = (),
    ) -> Committed[ResultT]:
        """Commits one event at `next_seq` of the run's log, with a step of the run's life and under a nonce of its own;
        `journal` goes into the log before it. Nothing is posted. Raises as `LogWriter.append`."""
        position = LogPosition(
            ref=run.ref, agent_name=run.agent_name, invocation_id=self.invocation_id, next_seq=next_seq
        )
        return await WebSocketBridge.once(
            position, payload, transition, journal=journal, table=self.ports.table, clock=self.ports.clock
        )

    async def retry_at_tail(self, run: RunRow, lease: LeaseRow | None, write: Callable[[], Awaitable[T]]) -> T:
        """Repeats `write` while it raises `Superseded` and the lease is unchanged, for up to `RETRY_AT_TAIL_S`: the
        last append of a dead engine may still land.

        Args:
            lease: As it was read; `None` if there was none.
            write: Reads the log's tail and writes after it.

        Returns:
            What `write` returns.

        Raises:
            Superseded: The lease has changed, or writes kept landing.
            Exception: Whatever else `write` raises.
        """
        until = self.ports.clock.monotonic() + RETRY_AT_TAIL_S
        while True:
            try:
                return await write()
            except Superseded:
                now = await self.ports.table.get(keys.lease_key(run.user_id, run.run_id), LeaseRow)
                left = until - self.ports.clock.monotonic()
                if now != lease or left <= 0:
                    raise
            await asyncio.sleep(min(PAUSE_S, left))

    async def start_engine(self, run: RunRow) -> None:
        """Invokes an engine for the run's present attempt. Logs `PortError` and does not raise it: the sweep invokes
        again."""
        try:
            await self.ports.invoker.start(EngineCall.of(run))
        except PortError as error:
            _log.warning("engine not invoked", extra={"run": run.run_id, "reason": str(error)})

    async def in_background(self, task: BackgroundTask) -> None:
        """Starts the task in the background, or awaits it if this invocation has no background tasks."""
        if self.background is None:
            await task()
        else:
            self.background.add(task)

    async def show(self, run: RunRow, committed: Committed[object], *, drain_s: float = DRAIN_S) -> bool:
        """Posts a committed batch to all sockets attached now. Returns whether all were sent it within `drain_s`
        seconds."""
        broadcast = Broadcast(self.ports.table, self.ports.poster, run.ref)
        try:
            broadcast.publish(committed)
            return (await broadcast.flush(drain_s=drain_s)).posted
        finally:
            await broadcast.close()

    async def post_again(self, run: RunRow, tail: Committed[object], *, give_up: bool = False) -> None:
        """Posts an ended run's terminal event to all sockets attached now. If all were sent it, or with `give_up`,
        drops the run's lease; else moves its due time. Raises `Unsettled`."""
        posted = await self.show(run, tail, drain_s=POST_AGAIN_WITHIN_S)
        lease = await self.ports.table.get(keys.lease_key(run.user_id, run.run_id), LeaseRow)
        if lease is None:
            return
        if posted or give_up:
            await self.drop_lease(run)
        else:
            await self._put_off(lease, ended=tail.row.at)

    async def drop_lease(self, run: RunRow) -> None:
        """Deletes the lease of an ended run whose end was posted. Logs a failure and does not raise it: if the lease
        stays, the sweep posts the end once more."""
        await self._change(run.run_id, Delete(keys.lease_key(run.user_id, run.run_id), Matches(state=LeaseState.ENDED)))

    async def _put_off(self, lease: LeaseRow, *, ended: int) -> None:
        """Moves the due time, so that ends for a socket that takes no posts do not come first in every sweep."""
        now = self.ports.clock.now_ms()
        later = replace(lease, due=now + min(max(PUT_OFF_MS, now - ended), MOST_PUT_OFF_MS))
        await self._change(lease.run_id, Put(later, Matches(state=LeaseState.ENDED, due=lease.due)))

    async def _change(self, run_id: str, action: Action) -> None:
        try:
            await self.ports.table.write(action)
        except (ConditionsFailed, PortError) as error:
            _log.info("lease left as it is", extra={"run": run_id, "reason": type(error).__name__})
