"""The end of a run: one transaction, the same whoever writes it (engine, router or recovery)."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Final

from dayfly.errors import IllegalTransition, Superseded
from dayfly.history.chunks import chunks_of, with_chunks
from dayfly.log.batch import Batch
from dayfly.log.fold import LogStep, fold
from dayfly.runs.lease import ended_lease, first_lease
from dayfly.runs.queue import advanced, without
from dayfly.store import keys
from dayfly.store.retry import retry_call, retry_write
from dayfly.store.rows import HistoryRow, LeaseRow, LogRow, QuotaRow, RunRow, ThreadRow, ThreadState
from dayfly.store.table import Absent, Action, ConditionsFailed, Delete, Matches, Put, Table

POSTED_WITHIN_MS: Final = 5_000
"""How long the writer of a terminal event has to post it before the sweep does it again."""

StepsOf = Callable[[], Awaitable[tuple[LogStep, ...]]]
LeaseIs = Callable[[], Matches]


@dataclass(frozen=True, slots=True)
class Ended:
    """What a run's end has made of its thread. `started` is the run that became active with it; `moved`: the queue is
    not what it was."""

    thread: ThreadRow
    started: RunRow | None
    moved: bool


class End:
    """The companion of a terminal event: the thread's history pointer and release, the next queued run made active with
    its lease, the quota given back, and the ended run's lease, due soon: it is deleted only after the event was posted.
    A cancel mark goes with its run.

    `steps` gives what the log held before this batch. `lease_is` is what the lease of an active run must still be: an
    engine names its own nonce, recovery the lease as it read it; so an engine that is alive is not ended behind its
    back. Without it, the run is one that still waits in its thread's queue.
    """

    def __init__(self, table: Table, *, run: RunRow, steps: StepsOf, lease_is: LeaseIs | None) -> None:
        self.ended: Ended | None = None
        """What the transaction has done, once it is committed."""
        self._table = table
        self.run = run
        self._steps = steps
        self._lease_is = lease_is
        self._piece: HistoryRow | None = None

    async def actions(self, row: LogRow, batch: Batch) -> tuple[Action, ...]:
        """The transaction's other actions, from the thread, quota and lease as they stand now."""
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
        self.ended = Ended(after, started, moved=after.queue != thread.queue)
        return (
            Put(after, Matches(version=thread.version)),
            Put(_given_back(quota, run.run_id), Matches(version=quota.version)),
            Delete(keys.cancel_mark_key(run.user_id, run.thread_id, run.run_id)),
            *((Put(first_lease(started, now=row.at), Absent()),) if started is not None else ()),
            self._ended_lease(lease if isinstance(lease, LeaseRow) else None, row),
        )

    def lost(self, failed: ConditionsFailed, actions: tuple[Action, ...]) -> None:
        """Thread or quota moved: build it anew. The lease is another's: somebody else looks after the run."""
        if len(actions) - 1 in failed.found:
            raise Superseded("the lease is another's") from failed

    def _released(self, thread: ThreadRow) -> ThreadRow:
        """The thread without the run. A forgotten thread starts none of those that wait."""
        run = self.run.run_id
        if self._lease_is is None:
            if run not in thread.queue:
                raise Superseded("the run does not wait in its thread's queue any more")
            return without(thread, run)
        if thread.active_run != run:
            raise Superseded("the run is not its thread's active one any more")
        return advanced(thread) if thread.state == ThreadState.LIVE else replace(thread, active_run=None)

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
        if self._piece is not None and (self._piece.previous, self._piece.place) == (thread.history_head, place):
            return self._piece
        messages = fold(self.run.text, (*await retry_call(self._steps), *batch.steps))
        piece = HistoryRow(
            user_id=row.user_id,
            thread_id=self.run.thread_id,
            place=place,
            run_id=row.run_id,
            nonce=row.nonce,
            previous=thread.history_head,
            at=row.at,
        )
        piece = await with_chunks(self._table, piece, chunks_of(messages))
        await self._put_once(piece)
        self._piece = piece
        return piece

    async def _put_once(self, piece: HistoryRow) -> None:
        try:
            await retry_write(self._table, Put(piece, Absent()))
        except ConditionsFailed as failed:
            if failed.found[0] != piece:
                raise IllegalTransition("a piece of history would change") from failed


def _given_back(quota: QuotaRow, run_id: str) -> QuotaRow:
    return replace(
        quota, version=quota.version + 1, active=tuple(active for active in quota.active if active != run_id)
    )
