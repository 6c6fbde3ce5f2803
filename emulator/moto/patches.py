"""What is changed in moto, in its own process.

**Query** costs what it reads of one partition. moto sorts and measures the whole table for each: with two thousand rows
that is 40 ms, whatever it asks for. Here it is shown only the rows of the partition that fit the condition on the sort
key, and decides the rest itself.

**TransactWriteItems** costs what it touches. moto copies every named table, once for each item of the transaction, and
puts the copy back when it fails: with a thousand rows in the table that is a tenth of a second a transaction, and
writes acknowledged meanwhile are lost. Here the few items that the transaction names are kept instead, and only they
are put back. The front serialises writers.

**Secrets** get the ARNs that the template's references to them hold.
"""

import copy
from dataclasses import dataclass
from typing import Any

from moto.dynamodb.comparisons import get_comparison_func
from moto.dynamodb.models import DynamoDBBackend
from moto.dynamodb.models.dynamo_type import DynamoType, Item
from moto.dynamodb.models.table import Table
from moto.utilities.id_generator import IdSourceContext, moto_id_manager

from emulator.secret_names import secret_suffix

Result = tuple[list[Item], int, dict[str, Any] | None]


def install() -> None:
    """Replace moto's methods in this process."""
    _install_query()
    _install_transactions()
    moto_id_manager.add_id_source(_secret_suffix)


def _install_query() -> None:
    original = Table.query

    def query(
        self: Table,
        hash_key: DynamoType | None,
        range_comparison: str | None,
        range_objs: list[DynamoType],
        *args: Any,
        **kwargs: Any,
    ) -> Result:
        # The positions of moto's signature: limit, start key, direction, projection, index.
        index_name = args[4] if len(args) > 4 else kwargs.get("index_name")
        if index_name is not None or hash_key is None or self.range_key_attr is None:
            return original(self, hash_key, range_comparison, range_objs, *args, **kwargs)
        fitting = _fitting(self, hash_key, range_comparison, range_objs)
        narrowed = copy.copy(self)
        narrowed.all_items = lambda: fitting  # type: ignore[method-assign] # of this copy alone
        return original(narrowed, hash_key, range_comparison, range_objs, *args, **kwargs)

    Table.query = query  # type: ignore[method-assign] # that is the purpose


def _fitting(
    table: Table, hash_key: DynamoType, range_comparison: str | None, range_objs: list[DynamoType]
) -> list[Item]:
    partition: dict[DynamoType, Item] = table.items.get(hash_key, {})
    if range_comparison is None:
        return list(partition.values())
    compare = get_comparison_func(range_comparison)
    if compare is None:
        return list(partition.values())
    values = [each.cast_value for each in range_objs]
    return [item for key, item in partition.items() if compare(key.cast_value, *values)]


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


def _install_transactions() -> None:
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


def _secret_suffix(context: IdSourceContext) -> str | None:
    resource = context.get("resource_identifier")
    if resource is None or (resource.service, resource.resource) != ("secretsmanager", "secret"):
        return None
    return secret_suffix(resource.name)
