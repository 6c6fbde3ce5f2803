"""One writer of one run's log: compare-and-append, with the retry rules that keep a lost answer from being a loss."""

from dataclasses import dataclass
from typing import Protocol

from dayfly.clock import Clock
from dayfly.context.ids import new_nonce
from dayfly.context.run_ref import OfRun, RunRef
from dayfly.errors import Superseded
from dayfly.log.batch import Batch, Emitted, number
from dayfly.log.journal import pack_journal
from dayfly.store.large_values import INLINE_BYTES, journal_owner, put_parts
from dayfly.store.retry import retry_write
from dayfly.store.rows import LogRow
from dayfly.store.table import Absent, Action, ConditionsFailed, Put, Table


@dataclass(frozen=True, slots=True, kw_only=True)
class LogPosition(OfRun):
    """Whose log, and where this writer's first record goes."""

    ref: RunRef
    agent_name: str
    invocation_id: str
    next_seq: int


class Transition(Protocol):
    """What is written together with a batch, in one transaction: all of it or nothing."""

    async def actions(self, row: LogRow, batch: Batch) -> tuple[Action, ...]:
        """The other actions, built anew for each try: what they depend on may have moved."""

    def lost(self, failed: ConditionsFailed, actions: tuple[Action, ...]) -> None:
        """Called when the log's own place was free but one of `actions` failed (`failed.found` counts from 0 among
        them). Returns to have the transaction built again; raises what the loss means otherwise."""


@dataclass(frozen=True, slots=True)
class Committed:
    """A batch that is in the log."""

    row: LogRow
    batch: Batch


class LogWriter:
    """Appends batches, one after the other, under one nonce. Not for concurrent use: appends are serial."""

    def __init__(self, table: Table, clock: Clock, position: LogPosition, *, nonce: str | None = None) -> None:
        self.nonce = nonce or new_nonce()
        self.position = position
        self.next_seq = position.next_seq
        self._table = table
        self._clock = clock
        self._ordinal = 0

    async def append(self, items: tuple[Emitted, ...], transition: Transition | None = None) -> Committed:
        """Appends the items as one batch at the next seq.

        Raises `Superseded` when another writer holds that seq, `Unsettled` when it stayed unknown for too long, and
        what the companion raises.
        """
        ordinal = self._ordinal
        self._ordinal += 1
        at = self._clock.now_ms()
        while True:
            batch = self._number(items)
            row = await self._row(batch, ordinal=ordinal, at=at)
            also = await transition.actions(row, batch) if transition else ()
            try:
                # A transaction that is built anew takes a new token; `settle` repeats one under the same.
                await retry_write(self._table, Put(row, Absent()), *also, token=new_nonce() if also else None)
            except ConditionsFailed as failed:
                found = failed.found.get(0)
                if 0 not in failed.found and transition is not None:
                    transition.lost(ConditionsFailed({i - 1: there for i, there in failed.found.items()}), also)
                    continue
                if not isinstance(found, LogRow) or found.nonce != self.nonce:
                    raise Superseded(f"seq {row.first} is another writer's") from failed
                if found.ordinal != ordinal:
                    # An earlier write of ours that was given up and landed late: go on behind it.
                    self.next_seq = found.last + 1
                    continue
            self.next_seq = batch.last + 1
            return Committed(row, batch)

    def _number(self, items: tuple[Emitted, ...]) -> Batch:
        return number(
            items,
            first=self.next_seq,
            run_id=self.position.run_id,
            thread_id=self.position.thread_id,
            agent_name=self.position.agent_name,
        )

    async def _row(self, batch: Batch, *, ordinal: int, at: int) -> LogRow:
        journal = pack_journal(batch.journal)
        owner = journal_owner(self.position.run_id, self.nonce, ordinal)
        parts = await put_parts(self._table, user_id=self.position.user_id, owner=owner, data=journal)
        return LogRow(
            user_id=self.position.user_id,
            run_id=self.position.run_id,
            first=batch.first,
            last=batch.last,
            events=tuple(event.encode() for event in batch.events),
            nonce=self.nonce,
            ordinal=ordinal,
            invocation_id=self.position.invocation_id,
            at=at,
            journal=journal if len(journal) <= INLINE_BYTES else b"",
            journal_parts=parts,
            outcome=batch.outcome,
        )
