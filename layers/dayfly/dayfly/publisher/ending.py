"""The end of a run: one transaction, the same whoever writes it (engine, router or recovery)."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Final

from dayfly.errors import IllegalTransition, Superseded
from dayfly.ports.clock import Clock
from dayfly.ports.table import Absent, Action, Condition, ConditionsFailed, Delete, Matches, Put, Table
from dayfly.publisher.batch import Batch
from dayfly.publisher.parts import INLINE_BYTES, put_parts
from dayfly.publisher.settle import answered, settle
from dayfly.runlog import keys
from dayfly.runlog.history import Step, fold, pack_history
from dayfly.runlog.rows import HistoryRow, LeaseRow, LeaseState, LogRow, QuotaRow, RunRow, ThreadRow

POSTED_WITHIN_MS: Final = 5_000
"""How long the writer of a terminal event has to post it before the sweep does it again."""

StepsOf = Callable[[], Awaitable[tuple[Step, ...]]]


class Ending:
    """The companion of a terminal event: the thread's history pointer and release, the quota given back, and the ended
    run's lease, due soon: it is deleted only after the event was posted. A cancel mark goes with its run.

    `steps` gives what the log held before this batch. `lease_is` is what the lease must still be: an engine names its
    own nonce, recovery the lease as it read it; so an engine that is alive is not ended behind its back.
    """

    def __init__(self, table: Table, clock: Clock, *, run: RunRow, steps: StepsOf, lease_is: Matches) -> None:
        self._table = table
        self._clock = clock
        self._run = run
        self._steps = steps
        self._lease_is: Condition = lease_is
        self._piece: HistoryRow | None = None

    async def actions(self, row: LogRow, batch: Batch) -> tuple[Action, ...]:
        """The transaction's other actions, from the thread, quota and lease as they stand now."""
        run = self._run
        thread_key, quota_key = keys.thread_key(run.user, run.thread), keys.quota_key(run.user)
        lease_key = keys.lease_key(run.user, run.run)
        found = await answered(lambda: self._table.get_many((thread_key, quota_key, lease_key)))
        thread, quota, lease = found.get(thread_key), found.get(quota_key), found.get(lease_key)
        if not isinstance(thread, ThreadRow) or thread.active_run != run.run or not isinstance(lease, LeaseRow):
            raise Superseded("the run is not its thread's active one any more")
        if not isinstance(quota, QuotaRow):
            raise IllegalTransition("a run is active, but its user has no quota row")
        piece = await self._history(thread, row, batch)
        ended = replace(lease, state=LeaseState.ENDED, due=row.at + POSTED_WITHIN_MS, nonce=row.nonce)
        return (
            Put(_released(thread, piece, now=row.at), Matches(version=thread.version)),
            Put(_given_back(quota, run.run), Matches(version=quota.version)),
            Delete(keys.cancel_mark_key(run.user, run.thread, run.run)),
            Put(ended, self._lease_is),
        )

    def lost(self, failed: ConditionsFailed, actions: tuple[Action, ...]) -> None:
        """Thread or quota moved: build it anew. The lease is another's: somebody else looks after the run."""
        if len(actions) - 1 in failed.found:
            raise Superseded("the lease is another's") from failed

    async def _history(self, thread: ThreadRow, row: LogRow, batch: Batch) -> HistoryRow:
        """The run's piece of history, written beforehand under a key that no other writer uses."""
        if self._piece is not None and self._piece.previous == thread.history_head:
            return self._piece
        messages = fold(self._run.text, (*await answered(self._steps), *batch.steps))
        body = pack_history(messages)
        key = keys.history_key(row.user, self._run.thread, self._run.turn, row.run, row.nonce)
        parts = await put_parts(self._table, user=row.user, owner=key.sk, data=body)
        piece = HistoryRow(
            user=row.user,
            thread=self._run.thread,
            turn=self._run.turn,
            run=row.run,
            nonce=row.nonce,
            previous=thread.history_head,
            at=row.at,
            body=body if len(body) <= INLINE_BYTES else b"",
            body_parts=parts,
        )
        await self._put_once(piece)
        self._piece = piece
        return piece

    async def _put_once(self, piece: HistoryRow) -> None:
        try:
            await settle(self._table, Put(piece, Absent()))
        except ConditionsFailed as failed:
            if failed.found[0] != piece:
                raise IllegalTransition("a piece of history would change") from failed


def _released(thread: ThreadRow, piece: HistoryRow, *, now: int) -> ThreadRow:
    return replace(
        thread,
        version=thread.version + 1,
        updated=max(now, thread.updated),
        active_run=None,
        history_head=piece.key.sk,
    )


def _given_back(quota: QuotaRow, run: str) -> QuotaRow:
    return replace(quota, version=quota.version + 1, active=tuple(active for active in quota.active if active != run))
