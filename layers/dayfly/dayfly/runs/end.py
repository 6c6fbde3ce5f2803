"""The end of a run: one transaction, the same for engine, router and recovery; then it is posted, and the next
starts."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

from dayfly.delivery.bridge import WebSocketBridge
from dayfly.errors import IllegalTransition, Superseded
from dayfly.history.writer import write_piece
from dayfly.log.batch import Batch
from dayfly.log.fold import LogStep, fold
from dayfly.log.reader import committed_of, steps_of, tail_of
from dayfly.log.writer import Committed, Lost, Plan
from dayfly.metrics import Meter, Metric
from dayfly.protocol.events import AgentCancelled, AgentCompleted, AgentError, TerminalPayload
from dayfly.runs.lease import LeaseCondition, as_read, ended_lease, first_lease
from dayfly.runs.queue import advanced, without
from dayfly.runs.quotas import given_back
from dayfly.runs.writer import RunWriter
from dayfly.store import keys
from dayfly.store.retry import retry_call
from dayfly.store.rows import HistoryRow, LeaseRow, LogRow, QuotaRow, RunRow, ThreadRow, ThreadState
from dayfly.store.table import Absent, Action, Delete, Matches, Put, Table

POSTED_WITHIN_MS: Final = 5_000
"""How long the writer of a terminal event has to post it before the sweep does it again."""

_log = logging.getLogger("dayfly.runs")


@dataclass(frozen=True, slots=True)
class ThreadAfter:
    """The thread after a run's end. `started`: the run that became active with it; `moved`: whether the queue has
    changed."""

    thread: ThreadRow
    started: RunRow | None
    moved: bool


class End:
    """The transition with a terminal event: the thread's history pointer and release, the next queued run made active
    with its lease, the quota given back, and the ended run's lease, due soon: it is deleted only after the event was
    posted. A cancel mark goes with its run.

    `steps` gives what the log held before this batch. `lease_is` is what the lease of an active run must still be: an
    engine names its own nonce, recovery the lease as it read it; so recovery does not end the run of an engine that
    has renewed its lease. `None`: the run must still be in its thread's queue.
    """

    def __init__(
        self,
        table: Table,
        *,
        run: RunRow,
        steps: Callable[[], Awaitable[tuple[LogStep, ...]]],
        lease_is: LeaseCondition | None,
    ) -> None:
        self.run = run
        self._table = table
        self._steps = steps
        self._lease_is = lease_is
        self._piece: HistoryRow | None = None

    async def plan(self, row: LogRow, batch: Batch) -> Plan[ThreadAfter]:
        """Thread, quota, lease and cancel mark, and the next run's lease, from the rows as they are now. Writes the
        piece of history before.

        Raises:
            Superseded: The thread or lease is gone, or the run is not where `lease_is` requires it.
            IllegalTransition: A row is missing that must be there.
            Unsettled: The table did not answer.
        """
        run = self.run
        thread_key, quota_key = keys.thread_key(run.user_id, run.thread_id), keys.quota_key(run.user_id)
        lease_key = keys.lease_key(run.user_id, run.run_id)
        found = await retry_call(lambda: self._table.get_many((thread_key, quota_key, lease_key)))
        thread, quota, lease = found.get(thread_key), found.get(quota_key), found.get(lease_key)
        if not isinstance(thread, ThreadRow):
            raise Superseded("the run's thread is gone")
        if not isinstance(quota, QuotaRow):
            raise IllegalTransition("a run is under way, but its user has no quota row")
        released = self._released(thread)
        started = await self._following(thread, released)
        piece = await self._history(thread, row, batch)
        after = replace(
            released,
            version=thread.version + 1,
            updated=max(row.at, thread.updated),
            ended=thread.ended + 1,
            history_head=piece.key.sk,
        )
        actions: dict[str, Action] = {
            "thread": Put(after, Matches(version=thread.version)),
            "quota": Put(given_back(quota, run.run_id), Matches(version=quota.version)),
            "cancel mark": Delete(keys.cancel_mark_key(run.user_id, run.thread_id, run.run_id)),
        }
        if started is not None:
            actions["next lease"] = Put(first_lease(started, now=row.at), Absent())
        actions["lease"] = self._ended_lease(lease if isinstance(lease, LeaseRow) else None, row)
        return Plan(actions, ThreadAfter(after, started, moved=after.queue != thread.queue))

    def lost(self, found: Lost) -> None:
        """Raises `Superseded` if the lease has changed; a changed thread or quota is read again."""
        if "lease" in found:
            raise Superseded("the lease is another's")

    def _released(self, thread: ThreadRow) -> ThreadRow:
        """The thread without the run. On a forgotten thread no queued run becomes active."""
        run_id = self.run.run_id
        if self._lease_is is None:
            if run_id not in thread.queue:
                raise Superseded("the run does not wait in its thread's queue any more")
            return without(thread, run_id)
        if thread.active_run != run_id:
            raise Superseded("the run is not its thread's active one any more")
        return advanced(thread) if thread.state is ThreadState.LIVE else replace(thread, active_run=None)

    async def _following(self, thread: ThreadRow, released: ThreadRow) -> RunRow | None:
        following = released.active_run
        if following is None or following == thread.active_run:
            return None
        key = keys.run_key(thread.user_id, thread.thread_id, following)
        run = await retry_call(lambda: self._table.get(key, RunRow))
        if run is None:
            raise IllegalTransition("a run waits in a queue, but is not there")
        return run

    def _ended_lease(self, lease: LeaseRow | None, row: LogRow) -> Action:
        due = row.at + POSTED_WITHIN_MS
        if self._lease_is is None:
            return Put(ended_lease(first_lease(self.run, now=due), due=due, nonce=row.nonce), Absent())
        if lease is None:
            raise Superseded("the lease is gone")
        return Put(ended_lease(lease, due=due, nonce=row.nonce), self._lease_is())

    async def _history(self, thread: ThreadRow, row: LogRow, batch: Batch) -> HistoryRow:
        """The run's piece of history, written beforehand under a key that no other writer uses."""
        place = thread.ended + 1
        if self._piece is None or (self._piece.previous, self._piece.place) != (thread.history_head, place):
            messages = fold(self.run.text, (*await retry_call(self._steps), *batch.steps))
            self._piece = await write_piece(self._table, self.run.ref, thread, messages, nonce=row.nonce, at=row.at)
        return self._piece


async def finish(run_writer: RunWriter, bridge: WebSocketBridge, payload: TerminalPayload, end: End) -> None:
    """Ends an engine's run: commits the terminal event, then posts it to all attached sockets and starts the next run,
    both at once: clients order events by run and seq.

    Raises:
        Superseded: Another writer was first.
        Unsettled: The table did not answer.
    """
    committed = await bridge.commit(payload, end, last=True)
    _count(run_writer.ports.meter, payload)

    async def post() -> bool:
        return (await bridge.broadcast.flush()).posted

    await asyncio.gather(_start_next(run_writer, committed.result), _tell(run_writer, end.run, committed.result, post))


async def end_run(run_writer: RunWriter, run: RunRow, lease: LeaseRow | None, payload: TerminalPayload) -> bool:
    """Ends a run that no engine works on, at the tail of its log. If it has ended already, posts its terminal event
    again.

    Args:
        lease: As it was read, which it must still be. `None`: the run must still wait in its thread's queue.

    Returns:
        Whether this call ended it.

    Raises:
        Superseded: Another writer has changed the run's lease or place in the queue.
        Unsettled: The table did not answer.
    """
    return await run_writer.retry_at_tail(run, lease, lambda: _end_at_tail(run_writer, run, lease, payload))


async def cancel_queued(run_writer: RunWriter, thread: ThreadRow) -> None:
    """Ends all runs in a thread's queue as cancelled, the last first, so that none becomes active meanwhile. Passes
    over those that have left the queue.

    Raises:
        IllegalTransition: A queued run has no row.
        Unsettled: The table did not answer.
    """
    for run_id in reversed(thread.queue):
        run = await run_writer.ports.table.get(keys.run_key(thread.user_id, thread.thread_id, run_id), RunRow)
        if run is None:
            raise IllegalTransition("a run waits in a queue, but is not there")
        try:
            await end_run(run_writer, run, None, cancelled_now(run_writer, run))
        except Superseded as reason:
            _log.info("not ended", extra={"run": run_id, "reason": str(reason)})


def cancelled_now(run_writer: RunWriter, run: RunRow) -> AgentCancelled:
    """The terminal event of a run that is cancelled now; its time counts from admission."""
    return AgentCancelled(execution_time_ms=max(0, run_writer.ports.clock.now_ms() - run.admitted))


async def _end_at_tail(run_writer: RunWriter, run: RunRow, lease: LeaseRow | None, payload: TerminalPayload) -> bool:
    table = run_writer.ports.table
    tail = await tail_of(table, user_id=run.user_id, run_id=run.run_id)
    if tail is None:
        raise Superseded("the run has no log")
    if tail.outcome is not None:
        await run_writer.in_background(partial(run_writer.post_again, run, committed_of(tail)))
        return False
    end = End(
        table,
        run=run,
        steps=lambda: steps_of(table, user_id=run.user_id, run_id=run.run_id),
        lease_is=(lambda: Matches(**as_read(lease))) if lease is not None else None,
    )
    committed = await run_writer.append(run, payload, end, next_seq=tail.last + 1)
    await end_at_once(run_writer, run, payload, committed)
    return True


async def end_at_once(
    run_writer: RunWriter, run: RunRow, payload: TerminalPayload, committed: Committed[ThreadAfter]
) -> None:
    """Counts an end that was committed without the run's engine, starts the next run, and posts the end in the
    background."""
    _count(run_writer.ports.meter, payload)
    post = partial(run_writer.show, run, committed)
    await asyncio.gather(
        _start_next(run_writer, committed.result),
        run_writer.in_background(partial(_tell, run_writer, run, committed.result, post)),
    )


async def _start_next(run_writer: RunWriter, after: ThreadAfter) -> None:
    if after.started is not None:
        await run_writer.start_engine(after.started)


async def _tell(run_writer: RunWriter, run: RunRow, after: ThreadAfter, post: Callable[[], Awaitable[bool]]) -> None:
    """Posts the end and announces the thread's change. If `post` returns that all sockets were sent the end, drops the
    run's lease; else the sweep posts it again."""

    async def announce() -> None:
        if after.moved:
            await run_writer.announcer.thread_changed(after.thread)

    posted, _ = await asyncio.gather(post(), announce())
    if posted:
        await run_writer.drop_lease(run)


def _count(meter: Meter, payload: TerminalPayload) -> None:
    """Counts the outcome. Called by the writer of the end alone, so it is counted once."""
    match payload:
        case AgentCompleted():
            meter.add(Metric.RUNS_COMPLETED)
        case AgentCancelled():
            meter.add(Metric.RUNS_CANCELLED)
        case AgentError(code=code):
            meter.add(Metric.RUNS_FAILED, code=code)
