"""Writing a run's log from outside its engine, and telling what was written: what router and recovery act with."""

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
"""How long a write at the tail is tried again behind what a dead engine's last append may still land. After that
somebody lives."""
PAUSE_S: Final = 0.02

T = TypeVar("T")
ResultT = TypeVar("ResultT")

_log = logging.getLogger("dayfly.runs")


@dataclass(frozen=True, slots=True, kw_only=True)
class RunWriter:
    """Belongs to one invocation, `invocation_id`; `background` runs what nobody has to wait for."""

    ports: Ports
    invocation_id: str
    background: BackgroundTasks | None = None

    @property
    def announcer(self) -> Announcer:
        """For what concerns all of a user's sockets."""
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
        """What `write` returns, which reads the tail and writes behind it: tried again while it is `Superseded` and the
        lease is still as it was read, for up to 2 seconds, since a dead engine's last append may still land. Raises
        `Superseded` when somebody who looks after the run was faster, and what `write` raises besides."""
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
        """Asks for an engine for the run's present attempt. If the request is lost, the sweep asks again."""
        try:
            await self.ports.invoker.start(EngineCall.of(run))
        except PortError as error:
            _log.warning("engine not invoked", extra={"run": run.run_id, "reason": str(error)})

    async def in_background(self, task: BackgroundTask) -> None:
        """Carries the task out: beside what comes next, or now where this invocation keeps no background tasks."""
        if self.background is None:
            await task()
        else:
            self.background.add(task)

    async def show(self, run: RunRow, committed: Committed[object], *, drain_s: float = DRAIN_S) -> bool:
        """Posts a batch of the log to all who watch now; says whether all were sent it in time."""
        broadcast = Broadcast(self.ports.table, self.ports.poster, run.ref)
        try:
            broadcast.publish(committed)
            return (await broadcast.flush(drain_s=drain_s)).posted
        finally:
            await broadcast.close()

    async def post_again(self, run: RunRow, tail: Committed[object], *, give_up: bool = False) -> None:
        """Posts an ended run's terminal event to all who watch. Where that reached them, or to `give_up`, it drops the
        run's lease, and else puts it off. Raises `Unsettled`."""
        posted = await self.show(run, tail, drain_s=POST_AGAIN_WITHIN_S)
        lease = await self.ports.table.get(keys.lease_key(run.user_id, run.run_id), LeaseRow)
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
        now = self.ports.clock.now_ms()
        later = replace(lease, due=now + min(max(PUT_OFF_MS, now - ended), MOST_PUT_OFF_MS))
        await self._change(lease.run_id, Put(later, Matches(state=LeaseState.ENDED, due=lease.due)))

    async def _change(self, run_id: str, action: Action) -> None:
        try:
            await self.ports.table.write(action)
        except (ConditionsFailed, PortError) as error:
            _log.info("lease left as it is", extra={"run": run_id, "reason": type(error).__name__})
