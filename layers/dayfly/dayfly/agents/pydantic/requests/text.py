"""Text and JSON as any provider takes them: not blank, whole characters, RFC 8259, not too long."""

import dataclasses
import json
import math
import re
import unicodedata
from collections.abc import Mapping
from typing import Final

from pydantic import BaseModel, JsonValue
from pydantic_core import PydanticSerializationError, to_json

from dayfly.text import sanitize

_UNREADABLE: Final = "INVALID_JSON"
"""The name under which arguments are given that are no JSON object."""
_INVISIBLE: Final = frozenset({"Zs", "Zl", "Zp", "Cc", "Cf"})
"""Categories of characters that show nothing: a text of these alone is blank."""


def is_blank(text: str) -> bool:
    """Whether nothing of the text can be seen: empty, white space, or characters without width."""
    return not text.strip() or all(unicodedata.category(char) in _INVISIBLE for char in text)


def json_object(arguments: str) -> str | None:
    """The JSON text of an object, as RFC 8259 has it: without NaN and infinities (which are null), halves of characters
    and names that are there twice (the last one stands). `None` if it is none."""
    if not arguments.strip():
        return "{}"
    try:
        value = _clean(json.loads(arguments, parse_constant=_null, parse_float=_finite))
        return _dumped(value) if isinstance(value, dict) else None
    except (ValueError, RecursionError):
        return None


def arguments_json(arguments: str | Mapping[str, object] | None) -> str:
    """A call's arguments as the JSON text of an object, whatever the model wrote."""
    written = _written(arguments)
    return json_object(written) or _dumped({_UNREADABLE: sanitize(written)})


def json_text(value: object) -> str:
    """The value as JSON of RFC 8259: null for NaN and infinities, and no halves of characters.

    Raises:
        PydanticSerializationError: JSON cannot hold it.
    """
    try:
        return to_json(value, inf_nan_mode="null").decode()
    except PydanticSerializationError:
        return to_json(_whole(value), inf_nan_mode="null").decode()


def name_like(name: str, form: str) -> str:
    """The name itself if it has this form (a regular expression); else one of letters, digits and `_`."""
    if re.fullmatch(form, name):
        return name
    plain = re.sub(r"[^a-zA-Z0-9_-]", "_", name)[:60]
    return plain if re.fullmatch(form, plain) else f"_{plain}" if plain else "unknown"


def _written(arguments: str | Mapping[str, object] | None) -> str:
    if arguments is None or isinstance(arguments, str):
        return arguments or ""
    try:
        return json.dumps(arguments, default=str)
    except (ValueError, RecursionError):
        return repr(arguments.keys())  # nested too deeply to be written, so to be read


def _dumped(value: JsonValue) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def _clean(value: JsonValue) -> JsonValue:
    match value:
        case str():
            return sanitize(value)
        case dict():
            return {sanitize(name): _clean(inner) for name, inner in value.items()}
        case list():
            return [_clean(inner) for inner in value]
        case _:
            return value


def _whole(value: object) -> object:
    """The value with its texts sanitized, as far as they lie in what JSON has itself."""
    match value:
        case str():
            return sanitize(value)
        case Mapping():
            return {_whole(name): _whole(inner) for name, inner in value.items()}
        case list() | tuple() | set() | frozenset():
            return [_whole(inner) for inner in value]
        case BaseModel():
            return _whole(value.model_dump())
        case _ if dataclasses.is_dataclass(value) and not isinstance(value, type):
            return _whole(dataclasses.asdict(value))
        case _:
            return value


def _null(constant: str) -> None:
    del constant


def _finite(number: str) -> float | None:
    value = float(number)
    return value if math.isfinite(value) else None
