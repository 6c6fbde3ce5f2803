"""How large a row is to DynamoDB.

Source: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html
"""

from typing import Final

from dayfly.store.rows import Row, attributes_of

ROW_BYTES: Final = 400 * 1024
TRANSACTION_BYTES: Final = 4 * 1024 * 1024


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
