"""A table whose reads are repeated until they are answered: for those who come only once, as recovery does."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from dayfly.store.keys import Key
from dayfly.store.retry import retry_call
from dayfly.store.rows import Row
from dayfly.store.table import Action, RowT, Span, Table


@dataclass(frozen=True, slots=True)
class RetryingTable:
    """The `Table` port over another table. Each read is repeated for up to `patience_s` seconds; a write is passed on
    once, since repeating a write is its writer's business."""

    table: Table
    patience_s: float

    async def get(self, key: Key, kind: type[RowT]) -> RowT | None:
        return await retry_call(lambda: self.table.get(key, kind), patience_s=self.patience_s)

    async def get_many(self, keys: Sequence[Key]) -> Mapping[Key, Row]:
        return await retry_call(lambda: self.table.get_many(keys), patience_s=self.patience_s)

    async def query(self, span: Span, kind: type[RowT], *, limit: int, descending: bool = False) -> tuple[RowT, ...]:
        return await retry_call(
            lambda: self.table.query(span, kind, limit=limit, descending=descending), patience_s=self.patience_s
        )

    async def query_live(self, span: Span, *, limit: int) -> tuple[Row, ...]:
        return await retry_call(lambda: self.table.query_live(span, limit=limit), patience_s=self.patience_s)

    async def write(self, *actions: Action, token: str | None = None) -> None:
        await self.table.write(*actions, token=token)

    async def due_leases(self, shard: str, *, before: int, limit: int) -> tuple[Key, ...]:
        return await retry_call(
            lambda: self.table.due_leases(shard, before=before, limit=limit), patience_s=self.patience_s
        )
