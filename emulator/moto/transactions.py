"""Makes moto's TransactWriteItems cost what it touches.

moto copies every named table, once for each item of the transaction, and puts the copy back when it fails: with a
thousand rows in the table that is a tenth of a second a transaction, and writes acknowledged meanwhile are lost. Here
the few items that the transaction names are kept instead, and only they are put back. The front serialises writers.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any

from moto.dynamodb.models import DynamoDBBackend
from moto.dynamodb.models.dynamo_type import DynamoType, Item
from moto.dynamodb.models.table import Table


@dataclass(frozen=True)
class _Before:
    """One item as it was before the transaction, None if it was not there."""

    table: Table
    hash_key: DynamoType
    range_key: DynamoType | None
    item: Item | None

    def put_back(self) -> None:
        self.table.delete_item(self.hash_key, self.range_key)
        if self.item is None:
            return
        if self.range_key is None:
            self.table.items[self.hash_key] = self.item  # type: ignore[assignment] # moto's own looseness
        else:
            self.table.items[self.hash_key][self.range_key] = self.item


def install() -> None:
    """Replace moto's method in this process."""
    original = DynamoDBBackend.transact_write_items

    def transact_write_items(self: DynamoDBBackend, transact_items: list[dict[str, Any]]) -> None:
        before = [each for each in (_before(self, item) for item in transact_items) if each is not None]
        try:
            original(self, transact_items)
        except BaseException:
            for each in before:
                each.put_back()
            raise

    def same(self: Table, memo: dict[int, Any]) -> Table:  # noqa: ARG001 - the protocol's shape
        return self

    DynamoDBBackend.transact_write_items = transact_write_items  # type: ignore[method-assign] # that is the purpose
    # What moto takes for a copy of the table is now the table itself, and putting it back changes nothing.
    Table.__deepcopy__ = same  # type: ignore[attr-defined] # a protocol of `copy`, not declared there


def _before(backend: DynamoDBBackend, transact_item: dict[str, Any]) -> _Before | None:
    kind, operation = next(iter(transact_item.items()))
    table = backend.tables.get(operation.get("TableName"))
    key = operation.get("Item" if kind == "Put" else "Key", {})
    if table is None or table.hash_key_attr not in key:
        return None  # moto refuses it with AWS's message
    range_attribute = table.range_key_attr
    if range_attribute is not None and range_attribute not in key:
        return None
    hash_key = DynamoType(key[table.hash_key_attr])
    range_key = None if range_attribute is None else DynamoType(key[range_attribute])
    present = table.get_item(hash_key, range_key)
    return _Before(table, hash_key, range_key, copy.deepcopy(present))
