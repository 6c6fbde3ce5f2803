"""Tables as DynamoDB describes them, compared with what a template wants."""

from __future__ import annotations

import json

from emulator.template.values import Json, Object, as_object

_INDEXES = ("GlobalSecondaryIndexes", "LocalSecondaryIndexes")


def keys_of(table: Object) -> tuple[frozenset[tuple[str, str, str]], frozenset[tuple[str, str]]]:
    """The keys of a table and of its indexes as (index or empty, HASH or RANGE, attribute), and the attributes' types.

    Takes the properties of a template and the description from DescribeTable alike.
    """
    keys = {("", kind, name) for kind, name in _schema(table)}
    for index in (each for kind in _INDEXES for each in _list(table.get(kind))):
        keys.update((str(index.get("IndexName")), kind, name) for kind, name in _schema(index))
    types = {(str(each["AttributeName"]), str(each["AttributeType"])) for each in _list(table["AttributeDefinitions"])}
    return frozenset(keys), frozenset(types)


def error_code(body: str) -> str:
    """The code in an error's JSON body without its namespace, empty if there is none."""
    try:
        found = json.loads(body)
    except ValueError:
        return ""
    kind = found.get("__type") if isinstance(found, dict) else None
    return kind.rpartition("#")[2] if isinstance(kind, str) else ""


def _schema(owner: Object) -> list[tuple[str, str]]:
    return [(str(each["KeyType"]), str(each["AttributeName"])) for each in _list(owner["KeySchema"])]


def _list(node: Json) -> list[Object]:
    return [as_object(each, "a list's entry") for each in node] if isinstance(node, list) else []
