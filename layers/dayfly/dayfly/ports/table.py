"""The table: strongly consistent reads, conditional writes, transactions. The rules of the run protocol are made of
these and stand in the core, once; an adapter only carries them out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol, TypeVar

from dayfly.errors import DayflyError
from dayfly.runlog.keys import Key
from dayfly.runlog.rows import Row

RowT = TypeVar("RowT", bound=Row)

MAX_KEYS: Final = 100
"""Keys that one `get_many` takes.
Source: https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchGetItem.html
"""


@dataclass(frozen=True, slots=True)
class Absent:
    """No row has this key."""


@dataclass(frozen=True, slots=True)
class Exists:
    """Some row has this key."""


class Matches:
    """A row has this key, and its named fields have these values (`None`: the field is not set)."""

    __slots__ = ("fields",)

    def __init__(self, **fields: str | int | None) -> None:
        self.fields: Mapping[str, str | int | None] = fields

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Matches) and self.fields == other.fields

    def __hash__(self) -> int:
        return hash(frozenset(self.fields.items()))

    def __repr__(self) -> str:
        return f"Matches({', '.join(f'{name}={value!r}' for name, value in self.fields.items())})"


Condition = Absent | Exists | Matches


@dataclass(frozen=True, slots=True)
class Put:
    """Writes a whole row, if `when` holds."""

    row: Row
    when: Condition | None = None

    @property
    def key(self) -> Key:
        return self.row.key


@dataclass(frozen=True, slots=True)
class Delete:
    """Removes a row, if `when` holds. To remove what is not there is no error."""

    key: Key
    when: Condition | None = None


@dataclass(frozen=True, slots=True)
class Check:
    """Writes nothing; a transaction holds only if `when` does."""

    key: Key
    when: Condition


Action = Put | Delete | Check


@dataclass(frozen=True, slots=True)
class Span:
    """Rows of one partition whose sort keys lie between two bounds, both included."""

    pk: str
    first: str
    last: str

    @classmethod
    def prefix(cls, pk: str, prefix: str) -> "Span":
        """All rows whose sort keys begin so. Keys are ASCII letters, digits and `#-_=+/:.`, all below `~`."""
        return cls(pk, prefix, f"{prefix}~")

    def behind(self, key: Key) -> "Span":
        """What of it lies behind this key: no character of a key sorts before `!`."""
        return Span(self.pk, f"{key.sk}!", self.last)


class ConditionsFailed(DayflyError):
    """A write did not happen because conditions did not hold. `found` maps each failed action's place to the row that
    is there, or to `None` where there is none."""

    def __init__(self, found: Mapping[int, Row | None]) -> None:
        super().__init__(f"conditions failed at {sorted(found)}")
        self.found = found


class TableRefused(DayflyError):
    """The request itself was not taken: a row over 400 KB, more than 100 actions, two actions on one key, a token used
    for another transaction, no permission, no such table. A bug or a wrong set-up; repeating it will not help."""


class Table(Protocol):
    """One table. Every method may raise `Unsettled` (throttled, conflict, time-out, lost answer): for a write, that
    settles nothing; and `TableRefused`. Reads are strongly consistent unless said otherwise."""

    async def get(self, key: Key, kind: type[RowT]) -> RowT | None:
        """The row with this key."""

    async def get_many(self, keys: Sequence[Key]) -> Mapping[Key, Row]:
        """The rows that are there, up to `MAX_KEYS`; each read on its own, not one snapshot."""

    async def query(self, span: Span, kind: type[RowT], *, limit: int, descending: bool = False) -> tuple[RowT, ...]:
        """Up to `limit` rows of the span, by sort key. All rows of a span have one kind."""

    async def query_live(self, span: Span, *, limit: int) -> tuple[Row, ...]:
        """As `query`, for a span whose rows have several kinds."""

    async def write(self, *actions: Action, token: str | None = None) -> None:
        """Carries out all actions or none; at most 100, on different keys.

        `token` makes a repeat of the same transaction within 10 minutes a success without a second effect.
        Raises `ConditionsFailed`, or `Unsettled`.
        Source: https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html
        """

    async def due_leases(self, shard: str, *, before: int, limit: int) -> tuple[Key, ...]:
        """Keys of leases that were due before this time (milliseconds). A hint from an index: it may lag."""
