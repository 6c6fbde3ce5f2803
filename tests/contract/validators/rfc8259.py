"""JSON as RFC 8259 has it, and I-JSON (RFC 7493) where the two differ: parsers that refuse what Python's reads are met
in the field."""

import json

from pydantic import JsonValue


def strictly_loaded(body: bytes | str) -> JsonValue:
    """Reads a body. Raises `ValueError` for NaN and infinities, names that are there twice, halves of characters, and
    bytes that are no UTF-8."""
    text = body.decode() if isinstance(body, bytes) else body
    value: JsonValue = json.loads(text, parse_constant=_refused, object_pairs_hook=_object)
    json.dumps(value, ensure_ascii=False).encode()
    return value


def _refused(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON")


def _object(pairs: list[tuple[str, JsonValue]]) -> dict[str, JsonValue]:
    names = [name for name, _ in pairs]
    if len(set(names)) < len(names):
        raise ValueError(f"a name is there twice: {names}")
    return dict(pairs)
