"""A table that fails where a test says so."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from dayfly.errors import Unsettled
from dayfly.store.keys import Key
from dayfly.store.rows import LogRow, Row
from dayfly.store.table import Action, Put, RowT, Span, Table


class Fault(StrEnum):
    """`REFUSED`: nothing happened. `ANSWER_LOST`: it happened, and nobody is told. The caller cannot tell which."""

    REFUSED = "refused"
    ANSWER_LOST = "answer_lost"


class Halt(StrEnum):
    """The process that makes the call dies: `BEFORE` anything has happened, or `AFTER` it has. The call never returns;
    whoever waits for `FaultyTable.halted` ends the process's task."""

    BEFORE = "before"
    AFTER = "after"


@dataclass(frozen=True, slots=True)
class Call:
    """One call of the table: its number from 0, the method's name, and a write's actions."""

    number: int
    method: str
    actions: tuple[Action, ...] = ()


def rows_of(call: Call, kind: type[RowT]) -> list[RowT]:
    """The rows of this kind that a write puts."""
    return [action.row for action in call.actions if isinstance(action, Put) and isinstance(action.row, kind)]


def ends_a_run(call: Call) -> bool:
    """Whether this is the transaction of a run's end."""
    return any(row.outcome is not None for row in rows_of(call, LogRow))


Plan = Callable[[Call], Fault | Halt | float | None]


class FaultyTable:
    """Hands every call on to another table, unless `plan` gives a fault for it; a number delays it so many seconds."""

    def __init__(self, inner: Table) -> None:
        self.inner = inner
        self.calls: list[Call] = []
        self.plan: Plan = lambda call: None
        self.halted = asyncio.Event()

    def fail_once(self, number: int, fault: Fault) -> None:
        """From now on, the call with this number (0 is the next) fails, and no other."""
        at = len(self.calls) + number
        self.plan = lambda call: fault if call.number == at else None

    async def get(self, key: Key, kind: type[RowT]) -> RowT | None:
        await self._before("get")
        return await self.inner.get(key, kind)

    async def get_many(self, keys: Sequence[Key]) -> Mapping[Key, Row]:
        await self._before("get_many")
        return await self.inner.get_many(keys)

    async def query(self, span: Span, kind: type[RowT], *, limit: int, descending: bool = False) -> tuple[RowT, ...]:
        await self._before("query")
        return await self.inner.query(span, kind, limit=limit, descending=descending)

    async def query_live(self, span: Span, *, limit: int) -> tuple[Row, ...]:
        await self._before("query_live")
        return await self.inner.query_live(span, limit=limit)

    async def write(self, *actions: Action, token: str | None = None) -> None:
        fault = await self._fault(Call(len(self.calls), "write", actions))
        if fault is Fault.REFUSED:
            raise Unsettled("refused by the test")
        await self.inner.write(*actions, token=token)
        if fault is Halt.AFTER:
            await self._never()
        if fault is Fault.ANSWER_LOST:
            raise Unsettled("answer lost by the test")

    async def due_leases(self, shard: str, *, before: int, limit: int) -> tuple[Key, ...]:
        await self._before("due_leases")
        return await self.inner.due_leases(shard, before=before, limit=limit)

    async def _before(self, method: str) -> None:
        if await self._fault(Call(len(self.calls), method)) is not None:
            raise Unsettled("refused by the test")

    async def _fault(self, call: Call) -> Fault | Halt | None:
        self.calls.append(call)
        fault = self.plan(call)
        if fault is Halt.BEFORE or (fault is Halt.AFTER and call.method != "write"):
            await self._never()
        if isinstance(fault, Fault | Halt) or fault is None:
            return fault
        await asyncio.sleep(fault)
        return None

    async def _never(self) -> None:
        self.halted.set()
        await asyncio.Event().wait()
