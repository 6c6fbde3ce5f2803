"""What DynamoDB would bill for the calls that were seen, in request units.

Sources: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html (units, rounding,
transactions), https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html (sizes).
A condition check in a transaction counts as a write of its item; an index entry as a write of its own, not doubled by
the transaction; an index that is not touched as nothing.
"""

import base64
import json
import math
from dataclasses import dataclass
from typing import Any, Final

from bench.proxy import Call

Item = dict[str, Any]
"""An item in DynamoDB's JSON: a document of AWS's making."""

READ_BYTES: Final = 4096
WRITE_BYTES: Final = 1024
INDEX_KEYS: Final = ("lease_shard", "due")


@dataclass(frozen=True, slots=True)
class Units:
    """On-demand request units."""

    read: float = 0
    write: float = 0

    def __add__(self, other: "Units") -> "Units":
        return Units(self.read + other.read, self.write + other.write)


class Meter:
    """Follows the calls in order, and so knows what each write replaces and each delete removes."""

    def __init__(self) -> None:
        self._items: dict[tuple[str, str], Item] = {}
        self.log_bytes = self.log_items = 0
        """Size and number of the run log's items (`LOG#…`, one a batch) written so far."""

    def take(self, call: Call) -> Units:
        """The units of one call. A refused write costs as much as a successful one, and changes nothing."""
        request = json.loads(call.request or b"{}")
        done = call.status == 200
        match call.api:
            case "GetItem":
                found = json.loads(call.response).get("Item")
                return Units(read=_read([found], consistent=request.get("ConsistentRead", False)))
            case "BatchGetItem":
                return self._batch(request, json.loads(call.response))
            case "Query":
                size = sum(item_bytes(item) for item in json.loads(call.response).get("Items", []))
                units = max(1, math.ceil(size / READ_BYTES))
                return Units(read=units if request.get("ConsistentRead") else units / 2)
            case "PutItem":
                return self._put(request["Item"], factor=1, done=done)
            case "DeleteItem":
                return self._delete(request["Key"], factor=1, done=done)
            case "TransactWriteItems":
                return self._transaction(request, done=done)
        return Units()

    def _batch(self, request: dict[str, Any], response: dict[str, Any]) -> Units:
        units = 0.0
        for table, wanted in request["RequestItems"].items():
            found = response.get("Responses", {}).get(table, [])
            absent = len(wanted["Keys"]) - len(found)
            consistent = wanted.get("ConsistentRead", False)
            units += _read([*found, *([None] * absent)], consistent=consistent)
        return Units(read=units)

    def _transaction(self, request: dict[str, Any], *, done: bool) -> Units:
        units = Units()
        for action in request["TransactItems"]:
            match action:
                case {"Put": {"Item": item}}:
                    units += self._put(item, factor=2, done=done)
                case {"Delete": {"Key": key}}:
                    units += self._delete(key, factor=2, done=done)
                case {"ConditionCheck": {"Key": key}}:
                    units += Units(write=2 * _write_units(item_bytes(self._items.get(_key(key), key))))
        return units

    def _put(self, item: Item, *, factor: int, done: bool) -> Units:
        before = self._items.get(_key(item))
        size = max(item_bytes(item), item_bytes(before) if before else 0)
        index = _index_writes(before, item) if done else 0
        if done:
            self._items[_key(item)] = item
            if item["sk"]["S"].startswith("LOG#"):
                self.log_bytes += item_bytes(item)
                self.log_items += 1
        return Units(write=factor * _write_units(size) + index)

    def _delete(self, key: Item, *, factor: int, done: bool) -> Units:
        before = self._items.pop(_key(key), None) if done else self._items.get(_key(key))
        index = _index_writes(before, None) if done else 0
        return Units(write=factor * _write_units(item_bytes(before) if before else 0) + index)


def item_bytes(item: Item) -> int:
    """An item's size by DynamoDB's rules: names and values."""
    return sum(len(name.encode()) + _value_bytes(value) for name, value in item.items())


def _value_bytes(value: dict[str, Any]) -> int:
    ((kind, held),) = value.items()
    match kind:
        case "S":
            return len(held.encode())
        case "N":
            return (len(held.lstrip("-").replace(".", "")) + 1) // 2 + 1
        case "B":
            return len(base64.b64decode(held))
        case "BOOL" | "NULL":
            return 1
        case "L":
            return 3 + sum(1 + _value_bytes(one) for one in held)
        case "M":
            return 3 + sum(1 + len(name.encode()) + _value_bytes(one) for name, one in held.items())
        case "SS":
            return sum(len(one.encode()) for one in held)
    raise ValueError(f"no size is known for a {kind}")


def _read(items: list[Item | None], *, consistent: bool) -> float:
    units = sum(max(1, math.ceil(item_bytes(item) / READ_BYTES)) if item else 1 for item in items)
    return units if consistent else units / 2


def _write_units(size: int) -> int:
    return max(1, math.ceil(size / WRITE_BYTES))


def _index_writes(before: Item | None, after: Item | None) -> int:
    """Writes to the sparse lease index: one for an entry that comes or goes, two where its key changes."""
    was, now = _index_key(before), _index_key(after)
    return 0 if was == now else (was is not None) + (now is not None)


def _index_key(item: Item | None) -> tuple[str, ...] | None:
    if item is None or any(name not in item for name in INDEX_KEYS):
        return None
    return tuple(json.dumps(item[name]) for name in INDEX_KEYS)


def _key(item: Item) -> tuple[str, str]:
    return item["pk"]["S"], item["sk"]["S"]
