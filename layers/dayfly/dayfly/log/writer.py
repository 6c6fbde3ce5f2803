"""One writer of one run's log: compare-and-append, with the retry rules that keep a lost answer from being a loss."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Generic, Protocol, TypeVar

from dayfly.clock import Clock
from dayfly.context.ids import new_nonce
from dayfly.context.run_ref import OfRun, RunRef
from dayfly.errors import Superseded
from dayfly.log.batch import Batch, Emitted, number
from dayfly.log.journal import journal_owner, pack_journal
from dayfly.store.large_values import INLINE_BYTES, put_parts
from dayfly.store.retry import retry_write
from dayfly.store.rows import LogRow, Row
from dayfly.store.table import Absent, Action, ConditionsFailed, Put, Table

ResultT = TypeVar("ResultT")
Result_co = TypeVar("Result_co", covariant=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class LogPosition(OfRun):
    """Whose log, and where this writer's first record goes."""

    ref: RunRef
    agent_name: str
    invocation_id: str
    next_seq: int


@dataclass(frozen=True, slots=True)
class Plan(Generic[Result_co]):
    """What one try of a transition writes beside its log record, and what it comes to if that is committed.

    The actions have names, by which those are told whose conditions did not hold.
    """

    actions: Mapping[str, Action]
    result: Result_co


Lost = Mapping[str, Row | None]
"""The names of actions whose conditions did not hold, each with the row that is there."""


class Transition(Protocol[Result_co]):
    """A step in a run's life: what is written in one transaction with its log record, all of it or nothing. What it has
    come to is returned by the commit."""

    async def plan(self, row: LogRow, batch: Batch) -> Plan[Result_co]:
        """The other actions, planned anew for each try: what they depend on may have moved. `row` and `batch` are the
        record. Raises what keeps the transition from happening at all."""

    def lost(self, found: Lost) -> None:
        """Called when the log's own place was free but conditions of the plan did not hold. Returns to have the
        transition planned again; raises what the loss means otherwise."""


class _RecordAlone:
    """A record with nothing beside it."""

    async def plan(self, row: LogRow, batch: Batch) -> Plan[None]:
        return Plan({}, None)

    def lost(self, found: Lost) -> None:
        raise AssertionError("a record alone has no other conditions")


RECORD_ALONE: Final[Transition[None]] = _RecordAlone()
"""For a record that is no step in the run's life, such as a delta."""


@dataclass(frozen=True, slots=True)
class Committed(Generic[Result_co]):
    """A batch that is in the log, and what the transition with it has come to."""

    row: LogRow
    batch: Batch
    result: Result_co


class LogWriter:
    """Appends batches, one after the other, under one nonce. Not for concurrent use: appends are serial."""

    def __init__(self, table: Table, clock: Clock, position: LogPosition, *, nonce: str | None = None) -> None:
        self.nonce = nonce or new_nonce()
        self.position = position
        self.next_seq = position.next_seq
        self._table = table
        self._clock = clock
        self._ordinal = 0

    async def append(self, items: tuple[Emitted, ...], transition: Transition[ResultT]) -> Committed[ResultT]:
        """Appends the items as one batch at the next seq.

        Raises `Superseded` when another writer holds that seq, `Unsettled` when it stayed unknown for too long, and
        what the transition raises.
        """
        ordinal = self._ordinal
        self._ordinal += 1
        at = self._clock.now_ms()
        while True:
            batch = self._number(items)
            row = await self._row(batch, ordinal=ordinal, at=at)
            plan = await transition.plan(row, batch)
            names, actions = tuple(plan.actions), tuple(plan.actions.values())
            try:
                # A transaction that is built anew takes a new token; a retry repeats one under the same.
                token = new_nonce() if actions else None
                await retry_write(self._table, Put(row, Absent()), *actions, token=token)
            except ConditionsFailed as failed:
                if 0 not in failed.found:
                    transition.lost({names[place - 1]: there for place, there in failed.found.items()})
                    continue
                found = failed.found[0]
                if not isinstance(found, LogRow) or found.nonce != self.nonce:
                    raise Superseded(f"seq {row.first} is another writer's") from failed
                if found.ordinal != ordinal:
                    # An earlier write of ours that was given up and landed late: go on behind it.
                    self.next_seq = found.last + 1
                    continue
            self.next_seq = batch.last + 1
            return Committed(row, batch, plan.result)

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
