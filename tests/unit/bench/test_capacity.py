"""Request units by DynamoDB's rules."""

import json
from typing import Any

from bench.capacity import Meter, Units, item_bytes
from bench.proxy import Call


def call(api: str, request: dict[str, Any], response: dict[str, Any] | None = None, *, status: int = 200) -> Call:
    """One call as the proxy hands it over."""
    return Call(
        function="engine",
        api=api,
        sent=0,
        received=0,
        status=status,
        at=0.0,
        request=json.dumps(request).encode(),
        response=json.dumps(response or {}).encode(),
    )


def item(sk: str, *, size: int = 100, **more: dict[str, str]) -> dict[str, Any]:
    """An item of exactly `size` bytes, besides `more`."""
    bare = {"pk": {"S": "p"}, "sk": {"S": sk}}
    return {**bare, "x": {"S": "x" * (size - item_bytes(bare) - 1)}, **more}


def key(sk: str) -> dict[str, Any]:
    """An item's key."""
    return {"pk": {"S": "p"}, "sk": {"S": sk}}


def test_sizes_are_names_and_values() -> None:
    """Strings by their bytes, numbers by digits, binary unencoded, lists with their overhead."""
    assert item_bytes({"pk": {"S": "é"}, "n": {"N": "1234"}}) == 2 + 2 + 1 + 3
    assert item_bytes({"b": {"B": "AAAA"}, "f": {"BOOL": "true"}}) == 1 + 3 + 1 + 1
    assert item_bytes({"l": {"L": [{"S": "ab"}]}, "m": {"M": {"k": {"S": "v"}}}}) == 1 + 3 + 1 + 2 + 1 + 3 + 1 + 1 + 1


def test_a_write_is_rounded_up_to_whole_kilobytes() -> None:
    """1,024 bytes are one unit, 1,025 are two; the larger of old and new item counts."""
    meter = Meter()
    assert meter.take(call("PutItem", {"Item": item("a", size=1024)})) == Units(write=1)
    assert meter.take(call("PutItem", {"Item": item("a", size=1025)})) == Units(write=2)
    assert meter.take(call("PutItem", {"Item": item("a", size=50)})) == Units(write=2)
    assert meter.take(call("DeleteItem", {"Key": key("a")})) == Units(write=1)


def test_a_transaction_costs_twice() -> None:
    """Puts, deletes and checks of a transaction count double."""
    meter = Meter()
    meter.take(call("PutItem", {"Item": item("old", size=3000)}))
    actions = [{"Put": {"Item": item("new")}}, {"Delete": {"Key": key("old")}}, {"ConditionCheck": {"Key": key("new")}}]
    assert meter.take(call("TransactWriteItems", {"TransactItems": actions})) == Units(write=2 + 6 + 2)


def test_index_entries_are_paid_for_when_they_move() -> None:
    """A lease's entry costs one write when it comes, two when its key changes, none when it stays, one when it goes."""
    meter = Meter()
    due = [{"lease_shard": {"S": "0"}, "due": {"N": str(at)}} for at in (1, 2, 2)]
    puts = [meter.take(call("PutItem", {"Item": item("l", size=100, **one)})).write for one in due]
    assert puts == [1 + 1, 1 + 2, 1]
    assert meter.take(call("DeleteItem", {"Key": key("l")})).write == 1 + 1


def test_reads_count_by_four_kilobytes_and_absent_items_too() -> None:
    """A consistent read of a batch counts each item by itself; a query counts the sum; other reads are half."""
    meter = Meter()
    found = {"Responses": {"t": [item("a", size=5000)]}}
    wanted = {"RequestItems": {"t": {"Keys": [key("a"), key("b")], "ConsistentRead": True}}}
    assert meter.take(call("BatchGetItem", wanted, found)) == Units(read=3)
    three = {"Items": [item("a", size=2000), item("b", size=2000), item("c", size=97)]}
    assert meter.take(call("Query", {"ConsistentRead": True}, three)) == Units(read=2)
    assert meter.take(call("Query", {}, {"Items": []})) == Units(read=0.5)
    assert meter.take(call("GetItem", {"ConsistentRead": True}, {})) == Units(read=1)


def test_a_refused_write_costs_and_changes_nothing() -> None:
    """A failed condition is billed; the item stays what it was."""
    meter = Meter()
    meter.take(call("PutItem", {"Item": item("LOG#1", size=100)}))
    assert meter.take(call("PutItem", {"Item": item("LOG#1", size=9000)}, status=400)).write == 9
    assert meter.take(call("DeleteItem", {"Key": key("LOG#1")})).write == 1
    assert (meter.log_bytes, meter.log_items) == (100, 1)
