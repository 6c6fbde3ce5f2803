"""One writer of one run's log: compare-and-append, which recognises its own record after a lost answer."""

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
    """Which run's log, and the seq of this writer's first record."""

    ref: RunRef
    agent_name: str
    invocation_id: str
    next_seq: int


@dataclass(frozen=True, slots=True)
class Plan(Generic[Result_co]):
    """What one try of a transition writes with its log record, and its result if that is committed.

    `actions` maps names to actions; `Transition.lost` is given the names of those whose conditions did not hold.
    """

    actions: Mapping[str, Action]
    result: Result_co


Lost = Mapping[str, Row | None]
"""The names of actions whose conditions did not hold, each with the row that was found."""


class Transition(Protocol[Result_co]):
    """A step in a run's life: what is written in one transaction with its log record. The commit returns its result."""

    async def plan(self, row: LogRow, batch: Batch) -> Plan[Result_co]:
        """Plans the other actions from the rows as they are now. Called for each try.

        Args:
            row, batch: The record.

        Raises:
            Exception: What makes the transition impossible; the append raises it.
        """

    def lost(self, found: Lost) -> None:
        """Called if the record's seq was free but conditions of the plan did not hold. Returns if the transition is to
        be planned again; else raises what the loss means."""


class _RecordAlone:
    """A record with no other actions."""

    async def plan(self, row: LogRow, batch: Batch) -> Plan[None]:
        return Plan({}, None)

    def lost(self, found: Lost) -> None:
        raise AssertionError("a record alone has no other conditions")


RECORD_ALONE: Final[Transition[None]] = _RecordAlone()
"""For a record that changes no other row, such as a delta."""


@dataclass(frozen=True, slots=True)
class Committed(Generic[Result_co]):
    """A batch that is in the log, and the result of the transition with it."""

    row: LogRow
    batch: Batch
    result: Result_co


class LogWriter:
    """Appends batches under one nonce. Appends must not overlap: await each before the next."""

    def __init__(self, table: Table, clock: Clock, position: LogPosition, *, nonce: str | None = None) -> None:
        self.nonce = nonce or new_nonce()
        self.position = position
        self.next_seq = position.next_seq
        self._completed = position.next_seq - 1
        self._table = table
        self._clock = clock
        self._ordinal = 0

    async def append(self, items: tuple[Emitted, ...], transition: Transition[ResultT]) -> Committed[ResultT]:
        """Appends the items as one batch at the next seq.

        Raises:
            Superseded: Another writer has that seq.
            Unsettled: Whether it was written stayed unknown for `PATIENCE_S` seconds.
            Exception: What the transition raises.
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
                    # An earlier write of ours that was given up and landed late: continue after it.
                    self.next_seq = found.last + 1
                    continue
            self.next_seq = batch.last + 1
            self._completed = batch.journal[-1].completes if batch.journal else self._completed
            return Committed(row, batch, plan.result)

    def _number(self, items: tuple[Emitted, ...]) -> Batch:
        return number(
            items,
            first=self.next_seq,
            run_id=self.position.run_id,
            thread_id=self.position.thread_id,
            agent_name=self.position.agent_name,
            completed=self._completed,
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
