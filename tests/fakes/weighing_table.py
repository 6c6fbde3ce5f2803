"""A table that weighs what is read from it."""

from collections.abc import Mapping, Sequence

from dayfly.store.keys import Key
from dayfly.store.memory import row_bytes
from dayfly.store.rows import Row
from dayfly.store.table import Action, RowT, Span, Table


class WeighingTable:
    """Hands every call on to another table, and counts the reads, the rows and their bytes."""

    def __init__(self, inner: Table) -> None:
        self.inner = inner
        self.reads = 0
        self.read_bytes = 0
        self.rows: list[Row] = []

    async def get(self, key: Key, kind: type[RowT]) -> RowT | None:
        row = await self.inner.get(key, kind)
        self._weigh(() if row is None else (row,))
        return row

    async def get_many(self, keys: Sequence[Key]) -> Mapping[Key, Row]:
        found = await self.inner.get_many(keys)
        self._weigh(tuple(found.values()))
        return found

    async def query(self, span: Span, kind: type[RowT], *, limit: int, descending: bool = False) -> tuple[RowT, ...]:
        rows = await self.inner.query(span, kind, limit=limit, descending=descending)
        self._weigh(rows)
        return rows

    async def query_live(self, span: Span, *, limit: int) -> tuple[Row, ...]:
        rows = await self.inner.query_live(span, limit=limit)
        self._weigh(rows)
        return rows

    async def write(self, *actions: Action, token: str | None = None) -> None:
        await self.inner.write(*actions, token=token)

    async def due_leases(self, shard: str, *, before: int, limit: int) -> tuple[Key, ...]:
        return await self.inner.due_leases(shard, before=before, limit=limit)

    def _weigh(self, rows: Sequence[Row]) -> None:
        self.reads += 1
        self.read_bytes += sum(map(row_bytes, rows))
        self.rows.extend(rows)
