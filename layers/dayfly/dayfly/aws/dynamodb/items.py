"""From the frozen rows to DynamoDB items and back, for every kind of row in the same way; and the port's conditions on
rows as condition expressions on items.

Each field is an attribute of a plain type, named as `attribute_name` says; a run's reference is four of them. A field
that is `None` is left out. The kind is not stored: the sort key tells it.
"""

from collections.abc import Callable, Mapping
from dataclasses import MISSING, Field, fields
from enum import StrEnum
from functools import partial
from types import NoneType, UnionType
from typing import TYPE_CHECKING, Any, Final, TypeGuard, get_args, get_type_hints

from dayfly.context.run_ref import RunRef
from dayfly.store.keys import Key
from dayfly.store.rows import (
    AttachedRow,
    CancelRow,
    ConnectionRow,
    ForgetRow,
    HistoryRow,
    LeaseRow,
    LogRow,
    NoteRow,
    PartRow,
    QuotaRow,
    RequestRow,
    Row,
    RunRow,
    SocketRow,
    ThreadRow,
    attribute_name,
    attributes_of,
)
from dayfly.store.table import Absent, Condition, Exists, Matches

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef

Item = Mapping[str, Any]
"""An item as boto3's low-level client gives it: attribute name to `{type: value}`."""

_KINDS: Final[Mapping[str, type[Row]]] = {
    "THREAD": ThreadRow,
    "RUN": RunRow,
    "LOG": LogRow,
    "LEASE": LeaseRow,
    "FORGET": ForgetRow,
    "REQ": RequestRow,
    "QUOTA": QuotaRow,
    "SOCK": SocketRow,
    "CONN": ConnectionRow,
    "HIST": HistoryRow,
    "PART": PartRow,
    "NOTE": NoteRow,
}
_LIVE_KINDS: Final[Mapping[str, type[Row]]] = {"SOCKET": AttachedRow, "CANCEL": CancelRow}


class UnreadableItem(Exception):
    """An item of the table that is no row of this library: an unknown kind, or a field missing or of another type."""


def to_item(row: Row) -> "dict[str, AttributeValueTypeDef]":
    """The row as an item. Fields in the order of the class, so that a repeat is the same bytes."""
    item = to_key(row.key)
    for name, value in attributes_of(row).items():
        item[name] = to_attribute(value)
    return item


def to_key(key: Key) -> "dict[str, AttributeValueTypeDef]":
    """The key as DynamoDB takes it."""
    return {"pk": {"S": key.pk}, "sk": {"S": key.sk}}


def to_attribute(value: object) -> "AttributeValueTypeDef":
    """One plain value. Raises `TypeError` for a type that no row has."""
    match value:
        case int():
            return {"N": str(value)}
        case str():
            return {"S": str(value)}  # a StrEnum goes as its value
        case bytes():
            return {"B": value}
        case tuple():
            return {"L": [to_attribute(item) for item in value]}
    raise TypeError(f"no row has a {type(value).__name__}")


def condition_of(when: Condition | None) -> dict[str, Any]:
    """The request parameters that state the condition. Names are always aliased: many are reserved words.

    Source: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.OperatorsAndFunctions.html
    """
    match when:
        case None:
            return {}
        case Absent():
            return {"ConditionExpression": "attribute_not_exists(#pk)", "ExpressionAttributeNames": {"#pk": "pk"}}
        case Exists():
            return {"ConditionExpression": "attribute_exists(#pk)", "ExpressionAttributeNames": {"#pk": "pk"}}
        case Matches():
            return _matches(when)


def _matches(when: Matches) -> dict[str, Any]:
    # Without the first term, `field=None` would hold where there is no row at all.
    terms = ["attribute_exists(#pk)"]
    names = {"#pk": "pk"}
    values: dict[str, Any] = {}
    for place, (field, value) in enumerate(when.fields.items()):
        names[f"#f{place}"] = attribute_name(field)
        if value is None:
            terms.append(f"attribute_not_exists(#f{place})")
        else:
            terms.append(f"#f{place} = :v{place}")
            values[f":v{place}"] = to_attribute(value)
    request: dict[str, Any] = {"ConditionExpression": " AND ".join(terms), "ExpressionAttributeNames": names}
    return {**request, "ExpressionAttributeValues": values} if values else request


def key_of(item: Item) -> Key:
    """The item's place."""
    return Key(item["pk"]["S"], item["sk"]["S"])


def to_row(item: Item) -> Row:
    """The item as the row its sort key says it is. Raises `UnreadableItem`.

    Attributes without a field are passed over, and missing ones take the field's default, so that two versions of this
    code can share a table while one replaces the other.
    """
    sk = key_of(item).sk
    kind = _kind_of(sk)
    if kind is None:
        raise UnreadableItem(f"no kind of row has the sort key {sk!r}")
    make: Callable[..., Row] = kind
    try:
        return make(**{name: read(item) for name, read in _READERS[kind].items()})
    except (KeyError, ValueError, TypeError) as error:
        raise UnreadableItem(f"{sk!r} is no {kind.__name__}") from error


def _kind_of(sk: str) -> type[Row] | None:
    head, _, rest = sk.partition("#")
    if head == "LIVE":
        return _LIVE_KINDS.get(rest.partition("#")[2].partition("#")[0])
    return _KINDS.get(head)


_Reader = Callable[[Item], object]
_PLAIN: Final[Mapping[object, Callable[[Mapping[str, Any]], object]]] = {
    str: lambda attribute: attribute["S"],
    int: lambda attribute: int(attribute["N"]),
    bytes: lambda attribute: attribute["B"],
    tuple[str, ...]: lambda attribute: tuple(one["S"] for one in attribute["L"]),
    tuple[int, ...]: lambda attribute: tuple(int(one["N"]) for one in attribute["L"]),
}


def _readers(kind: type[Row]) -> Mapping[str, _Reader]:
    hints = get_type_hints(kind)
    return {
        field.name: _read_ref if hints[field.name] is RunRef else _reader(field, hints[field.name])
        for field in fields(kind)
    }


def _read_ref(item: Item) -> RunRef:
    return RunRef(**{field.name: item[attribute_name(field.name)]["S"] for field in fields(RunRef)})


def _reader(field: "Field[Any]", hint: object) -> _Reader:
    optional = isinstance(hint, UnionType) and NoneType in get_args(hint)
    plain = next(one for one in get_args(hint) if one is not NoneType) if optional else hint
    name = attribute_name(field.name)
    # A KeyError at import: a row with a type this codec lacks.
    decode = _PLAIN[plain] if not _is_enum(plain) else partial(_to_enum, plain)
    if field.default is not MISSING:
        return partial(_read_or_default, name, decode, field.default)
    if optional:
        return partial(_read_or_default, name, decode, None)
    return partial(_read, name, decode)


def _is_enum(hint: object) -> TypeGuard[type[StrEnum]]:
    return isinstance(hint, type) and issubclass(hint, StrEnum)


def _to_enum(kind: type[StrEnum], attribute: Mapping[str, Any]) -> StrEnum:
    return kind(attribute["S"])


def _read(name: str, decode: Callable[[Mapping[str, Any]], object], item: Item) -> object:
    return decode(item[name])


def _read_or_default(name: str, decode: Callable[[Mapping[str, Any]], object], default: object, item: Item) -> object:
    attribute = item.get(name)
    return default if attribute is None else decode(attribute)


_READERS: Final[Mapping[type[Row], Mapping[str, _Reader]]] = {
    kind: _readers(kind) for kind in (*_KINDS.values(), *_LIVE_KINDS.values())
}
