"""What is wrong with a frame, in one plain sentence that repeats nothing of what was sent."""

from collections.abc import Mapping
from typing import Final

from pydantic import ValidationError

from dayfly.protocol.frames import FRAMES

_KEY: Final = "[key]"
"""How pydantic marks in a place that the key of an object is meant, not its value."""

# Types of errors: https://docs.pydantic.dev/latest/errors/validation_errors/. The names in braces are pydantic's; all
# of them are the protocol's own bounds, none is of the frame.
_WORDS: Final[Mapping[str, str]] = {
    "missing": "is missing",
    "string_type": "is not a string",
    "string_unicode": "has a lone surrogate, which is not a character",
    "int_type": "is not a whole number",
    "bool_type": "is neither true nor false",
    "dict_type": "is not an object",
    "enum": "is not one of {expected}",
    "string_pattern_mismatch": "does not match {pattern}",
    "string_too_short": "has fewer than {min_length} characters",
    "string_too_long": "has more than {max_length} characters",
    "too_short": "has fewer than {min_length} {unit}",
    "too_long": "has more than {max_length} {unit}",
    "greater_than_equal": "is less than {ge}",
    "less_than_equal": "is more than {le}",
}


def explain(error: ValidationError) -> str:
    """The first thing that is wrong. It names a field of the protocol, or the message as a whole; never a name or a
    value of the client's, which may be a secret, or hold what no terminal should be given."""
    first = error.errors(include_url=False, include_input=False)[0]
    kind, context = first["type"], first.get("ctx", {})
    action, *place = (str(part) for part in first["loc"])
    fields = frozenset(FRAMES[action].model_fields) if action in FRAMES else frozenset()
    if kind == "extra_forbidden":
        return f"`message` has a field that is none of: {', '.join(sorted(fields))}."
    if kind in {"string_too_short", "too_short"} and context.get("min_length") == 1:
        wrong = "is empty"
    elif kind == "value_error":
        wrong = str(context["error"])  # of a validator of ours
    else:
        unit = "entries" if context.get("field_type") == "Dictionary" else "characters"
        wrong = _WORDS.get(kind, "is not what the protocol has there").format_map({**context, "unit": unit})
    return f"{_named(place, fields)} {wrong}."


def _named(place: list[str], fields: frozenset[str]) -> str:
    if not place or place[0] not in fields:
        return "`message`"
    if len(place) == 1:
        return f"`{place[0]}`"
    return f"A {'name' if place[-1] == _KEY else 'value'} in `{place[0]}`"
