"""The table in memory."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Final

from dayfly.clock import Clock, SystemClock
from dayfly.store.keys import Key
from dayfly.store.rows import ForgetRow, LeaseRow, Row, attributes_of
from dayfly.store.table import (
    MAX_KEYS,
    Absent,
    Action,
    Check,
    Condition,
    ConditionsFailed,
    Exists,
    Put,
    RowT,
    Span,
    TableRefused,
)

MAX_ACTIONS: Final = 100
TOKEN_CHARS: Final = 36
TOKEN_SECONDS: Final = 600.0
ROW_BYTES: Final = 400 * 1024
TRANSACTION_BYTES: Final = 4 * 1024 * 1024


class MemoryTable:
    """The `Table` port over a dict, held to the same contract as the AWS adapter. Each call yields to the event loop
    once and is then carried out atomically, so that concurrent callers interleave. The lease index never lags."""

    def __init__(self, *, clock: Clock | None = None) -> None:
        self._rows: dict[Key, Row] = {}
        self._tokens: dict[str, tuple[float, tuple[Action, ...]]] = {}
        self._clock = clock or SystemClock()

    @property
    def rows(self) -> Mapping[Key, Row]:
        """All rows, for assertions."""
        return dict(self._rows)

    async def get(self, key: Key, kind: type[RowT]) -> RowT | None:
        await asyncio.sleep(0)
        row = self._rows.get(key)
        return None if row is None else _of_kind(row, kind)

    async def get_many(self, keys: Sequence[Key]) -> Mapping[Key, Row]:
        if len(set(keys)) > MAX_KEYS:
            raise TableRefused(f"at most {MAX_KEYS} keys")
        await asyncio.sleep(0)
        return {key: self._rows[key] for key in keys if key in self._rows}

    async def query(self, span: Span, kind: type[RowT], *, limit: int, descending: bool = False) -> tuple[RowT, ...]:
        await asyncio.sleep(0)
        return tuple(_of_kind(row, kind) for row in self._span(span, descending=descending)[:limit])

    async def query_live(self, span: Span, *, limit: int) -> tuple[Row, ...]:
        await asyncio.sleep(0)
        return tuple(self._span(span)[:limit])

    async def write(self, *actions: Action, token: str | None = None) -> None:
        _require_legal(actions, token)
        await asyncio.sleep(0)
        if token is not None and self._already_done(token, actions):
            return
        found = {
            place: self._rows.get(action.key)
            for place, action in enumerate(actions)
            if not _holds(action.when, self._rows.get(action.key))
        }
        if found:
            raise ConditionsFailed(found)
        for action in actions:
            if isinstance(action, Put):
                self._rows[action.key] = action.row
            elif not isinstance(action, Check):
                self._rows.pop(action.key, None)
        if token is not None:
            self._tokens[token] = (self._clock.monotonic(), actions)

    async def due_leases(self, shard: str, *, before: int, limit: int) -> tuple[Key, ...]:
        await asyncio.sleep(0)
        due = [
            row
            for row in self._rows.values()
            if isinstance(row, LeaseRow | ForgetRow) and row.lease_shard == shard and row.due < before
        ]
        return tuple(row.key for row in sorted(due, key=lambda row: row.due)[:limit])

    def _span(self, span: Span, *, descending: bool = False) -> list[Row]:
        # DynamoDB orders strings by their UTF-8 bytes, which is the order of code points, which is Python's.
        keys = (key for key in self._rows if key.pk == span.pk and span.first <= key.sk <= span.last)
        return [self._rows[key] for key in sorted(keys, reverse=descending)]

    def _already_done(self, token: str, actions: tuple[Action, ...]) -> bool:
        done = self._tokens.get(token)
        if done is None or self._clock.monotonic() - done[0] > TOKEN_SECONDS:
            return False
        if done[1] != actions:
            raise TableRefused("the token was used for another transaction")
        return True


def _of_kind(row: Row, kind: type[RowT]) -> RowT:
    if not isinstance(row, kind):
        raise TypeError(f"{row.key.sk} is a {type(row).__name__}, not a {kind.__name__}")
    return row


def _holds(when: Condition | None, row: Row | None) -> bool:
    if when is None:
        return True
    if isinstance(when, Absent):
        return row is None
    if isinstance(when, Exists):
        return row is not None
    return row is not None and all(getattr(row, name, None) == value for name, value in when.fields.items())


def _require_legal(actions: tuple[Action, ...], token: str | None) -> None:
    if not 1 <= len(actions) <= MAX_ACTIONS:
        raise TableRefused(f"1 to {MAX_ACTIONS} actions, not {len(actions)}")
    if len({action.key for action in actions}) != len(actions):
        raise TableRefused("two actions on one key")
    if token is not None and not 1 <= len(token) <= TOKEN_CHARS:
        raise TableRefused(f"a token has 1 to {TOKEN_CHARS} characters")
    sizes = [row_bytes(action.row) for action in actions if isinstance(action, Put)]
    if any(size > ROW_BYTES for size in sizes):
        raise TableRefused(f"a row is over {ROW_BYTES} bytes")
    if sum(sizes) > TRANSACTION_BYTES:
        raise TableRefused(f"a transaction is over {TRANSACTION_BYTES} bytes")


def row_bytes(row: Row) -> int:
    """Bytes of the row as an item: the names and the values of its keys and fields."""
    size = len("pk") + len(row.key.pk.encode()) + len("sk") + len(row.key.sk.encode())
    for name, value in attributes_of(row).items():
        size += len(name) + _value_bytes(value)
    return size


def _value_bytes(value: object) -> int:
    match value:
        case bool():
            return 1
        case int():
            return (len(str(abs(value))) + 1) // 2 + 1  # about one byte for two digits, and one more
        case str():
            return len(value.encode())
        case bytes():
            return len(value)
        case tuple():
            return 3 + sum(1 + _value_bytes(item) for item in value)
    raise TypeError(f"no row has a {type(value).__name__}")
