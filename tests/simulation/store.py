"""The table's rows, as fast as a schedule needs them."""

from bisect import bisect_left, bisect_right, insort
from collections.abc import Coroutine
from typing import Any, Final, TypeVar

from dayfly.ports.clock import Clock
from dayfly.ports.memory import MemoryTable
from dayfly.ports.memory.size import row_bytes
from dayfly.ports.table import Action, Span
from dayfly.runlog.keys import Key
from dayfly.runlog.rows import ForgetRow, HistoryRow, LeaseRow, LogRow, NoteRow, PartRow, Row

T = TypeVar("T")

SMALL: Final = 50_000


class SortedRows(dict[Key, Row]):
    """Rows by key that know their order within each partition, and which of them stand in the index."""

    def __init__(self) -> None:
        super().__init__()
        self.order: dict[str, list[str]] = {}
        self.indexed: dict[Key, LeaseRow | ForgetRow] = {}

    def __setitem__(self, key: Key, row: Row) -> None:
        if key not in self:
            insort(self.order.setdefault(key.pk, []), key.sk)
        if isinstance(row, LeaseRow | ForgetRow):
            self.indexed[key] = row
        super().__setitem__(key, row)

    def pop(self, key: Key, *default: Any) -> Any:
        if key in self:
            order = self.order[key.pk]
            del order[bisect_left(order, key.sk)]
            self.indexed.pop(key, None)
        return super().pop(key, *default)

    def span(self, span: Span) -> list[Row]:
        """The rows between both bounds, in order."""
        order = self.order.get(span.pk, [])
        found = order[bisect_left(order, span.first) : bisect_right(order, span.last)]
        return [self[Key(span.pk, sk)] for sk in found]


class Store(MemoryTable):
    """The table in memory, as fast as a schedule needs it."""

    def __init__(self, clock: Clock) -> None:
        super().__init__(clock=clock)
        self._rows: SortedRows = SortedRows()

    @property
    def held(self) -> SortedRows:
        """The rows themselves."""
        return self._rows

    def carry_out(self, actions: tuple[Action, ...], token: str | None) -> bool:
        """Writes now, and says whether that had an effect; a transaction repeated under its token has none."""
        again = token is not None and bool(actions) and self._already_done(token, actions)
        at_once(self.write(*actions, token=token))
        return not again

    def expire(self, key: Key) -> None:
        """TTL deletes a row."""
        self._rows.pop(key, None)

    async def due_leases(self, shard: str, *, before: int, limit: int) -> tuple[Key, ...]:
        due = [row for row in self._rows.indexed.values() if row.lease_shard == shard and row.due < before]
        return tuple(row.key for row in sorted(due, key=_due)[:limit])

    def _span(self, span: Span, *, descending: bool = False) -> list[Row]:
        rows = self._rows.span(span)
        return rows[::-1] if descending else rows


def size_where_it_matters(row: Row) -> int:
    """A row's size, or nothing for one that is far from any limit: to count all of them takes time."""
    match row:
        case LogRow(events=events, journal=journal):
            small = len(journal) + sum(map(len, events)) < SMALL
        case HistoryRow(body=body):
            small = len(body) < SMALL
        case PartRow() | NoteRow():
            small = False
        case _:
            small = True
    return 0 if small else row_bytes(row)


def _due(row: LeaseRow | ForgetRow) -> int:
    return row.due


def at_once(call: Coroutine[Any, Any, T]) -> T:
    """What the call gives, without any step in between: `MemoryTable` gives way once, for nobody here."""
    try:
        while True:
            call.send(None)
    except StopIteration as done:
        result: T = done.value
        return result
