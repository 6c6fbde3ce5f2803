"""The port to the table: strongly consistent reads, conditional writes, transactions. An adapter only carries them out;
the rules of the run protocol are in the core."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol, TypeVar

from dayfly.errors import DayflyError
from dayfly.store.keys import Key
from dayfly.store.rows import Row

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
    """Deletes a row, if `when` holds. Deleting a row that does not exist is no error."""

    key: Key
    when: Condition | None = None


@dataclass(frozen=True, slots=True)
class Check:
    """Writes nothing; the transaction is carried out only if `when` holds."""

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

    def after(self, key: Key) -> "Span":
        """The part of the span after this key: no character of a key sorts before `!`."""
        return Span(self.pk, f"{key.sk}!", self.last)


class ConditionsFailed(DayflyError):
    """A write did not happen because conditions did not hold. `found` maps each failed action's place to the row that
    is there, or to `None` where there is none."""

    def __init__(self, found: Mapping[int, Row | None]) -> None:
        super().__init__(f"conditions failed at {sorted(found)}")
        self.found = found


class TableRefused(DayflyError):
    """The request is invalid or not permitted: a row over 400 KB, more than 100 actions, two actions on one key, a
    token used for another transaction, no permission, no such table. A bug or a wrong configuration; a retry does not
    help."""


class Table(Protocol):
    """One table. Reads are strongly consistent unless said otherwise.

    Every method may raise `Unsettled` (throttled, conflict, time-out, lost answer), after which a write may or may not
    have been carried out, and `TableRefused`.
    """

    async def get(self, key: Key, kind: type[RowT]) -> RowT | None:
        """The row with this key, or `None`. Raises `TypeError` if it is of another kind."""

    async def get_many(self, keys: Sequence[Key]) -> Mapping[Key, Row]:
        """The rows that exist among up to `MAX_KEYS` keys; each is read by itself, so together they are no snapshot."""

    async def query(self, span: Span, kind: type[RowT], *, limit: int, descending: bool = False) -> tuple[RowT, ...]:
        """Up to `limit` rows of the span, by sort key. All rows of a span have one kind."""

    async def query_live(self, span: Span, *, limit: int) -> tuple[Row, ...]:
        """As `query`, for a span whose rows have several kinds."""

    async def write(self, *actions: Action, token: str | None = None) -> None:
        """Carries out all actions or none.

        Args:
            actions: 1 to 100, on different keys.
            token: A repeat of the same transaction with the same token within 10 minutes succeeds and changes nothing.

        Raises:
            ConditionsFailed: A condition does not hold; nothing was written.
            Unsettled: Whether it was written is unknown.

        Source: https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html
        """

    async def due_leases(self, shard: str, *, before: int, limit: int) -> tuple[Key, ...]:
        """Keys of up to `limit` leases that were due before this time, from an index, which may lag.

        Args:
            before: Milliseconds since the epoch.
        """
