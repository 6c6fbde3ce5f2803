"""A table whose caller is frozen, as Lambda freezes a process: for as long as it lasts, no call begins or returns."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TypeVar

from dayfly.store.keys import Key
from dayfly.store.rows import Row
from dayfly.store.table import Action, RowT, Span, Table
from tests.fakes.faulty_table import Call

T = TypeVar("T")


class FreezingTable:
    """Hands every call on to another table. When a write is carried out for which `freeze_when` holds, its answer and
    everything after it waits for `thaw`."""

    def __init__(self, inner: Table, freeze_when: Callable[[Call], bool]) -> None:
        self.inner = inner
        self.frozen = asyncio.Event()
        self._freeze_when = freeze_when
        self._running = asyncio.Event()
        self._running.set()
        self._writes = 0

    def thaw(self) -> None:
        """The process goes on."""
        self._running.set()

    async def get(self, key: Key, kind: type[RowT]) -> RowT | None:
        return await self._through(self.inner.get(key, kind))

    async def get_many(self, keys: Sequence[Key]) -> Mapping[Key, Row]:
        return await self._through(self.inner.get_many(keys))

    async def query(self, span: Span, kind: type[RowT], *, limit: int, descending: bool = False) -> tuple[RowT, ...]:
        return await self._through(self.inner.query(span, kind, limit=limit, descending=descending))

    async def query_live(self, span: Span, *, limit: int) -> tuple[Row, ...]:
        return await self._through(self.inner.query_live(span, limit=limit))

    async def write(self, *actions: Action, token: str | None = None) -> None:
        await self._running.wait()
        await self.inner.write(*actions, token=token)
        self._writes += 1
        if not self.frozen.is_set() and self._freeze_when(Call(self._writes, "write", actions)):
            self._running.clear()
            self.frozen.set()
        await self._running.wait()

    async def due_leases(self, shard: str, *, before: int, limit: int) -> tuple[Key, ...]:
        return await self._through(self.inner.due_leases(shard, before=before, limit=limit))

    async def _through(self, call: Awaitable[T]) -> T:
        await self._running.wait()
        try:
            return await call
        finally:
            await self._running.wait()
