"""Repeating reads and writes whose outcome is unknown (`Unsettled`)."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

from dayfly.errors import Unsettled
from dayfly.store.keys import Key
from dayfly.store.rows import Row
from dayfly.store.table import Action, RowT, Span, Table

FIRST_PAUSE_S: Final = 0.02
LONGEST_PAUSE_S: Final = 1.0
PATIENCE_S: Final = 15.0
"""Seconds that one call is repeated before `Unsettled` is raised."""

T = TypeVar("T")


async def retry_write(table: Table, *actions: Action, token: str | None = None, patience_s: float = PATIENCE_S) -> None:
    """Writes, and repeats the byte-identical write while its outcome is unknown.

    A repeat may meet the result of the first try, so the caller of a conditional write must recognise its own row (by
    nonce) in `ConditionsFailed`.

    Args:
        actions, token: As `Table.write`.
        patience_s: Seconds after which no other try begins.

    Raises:
        ConditionsFailed: A condition does not hold.
        Unsettled: The outcome of the last try is unknown.
    """
    await retry_call(lambda: table.write(*actions, token=token), patience_s=patience_s)


async def retry_call(call: Callable[[], Awaitable[T]], *, patience_s: float = PATIENCE_S) -> T:
    """Calls, and repeats the call while it raises `Unsettled`, with growing pauses.

    Args:
        patience_s: Seconds after the first try at which the last one begins at the latest: a pause is cut to the time
            left.

    Raises:
        Unsettled: The last try has raised it.
        Exception: Whatever else the call raises, at once.
    """
    pause = FIRST_PAUSE_S
    loop = asyncio.get_running_loop()
    until = loop.time() + patience_s
    while True:
        try:
            return await call()
        except Unsettled:
            left = until - loop.time()
            if left <= 0:
                raise
            drawn = pause * random.uniform(0.5, 1.5)  # noqa: S311  spreads retries, guards nothing
            await asyncio.sleep(min(drawn, left))
            pause = min(pause * 2, LONGEST_PAUSE_S)


@dataclass(frozen=True, slots=True)
class RetryingTable:
    """The `Table` port over another table. Each read is repeated for up to `patience_s` seconds; a write is passed on
    once, since only its writer knows whether it may be repeated."""

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
