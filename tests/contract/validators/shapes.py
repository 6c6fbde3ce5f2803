"""What the validators share: reading JSON of unknown shape, and saying what is wrong."""

import unicodedata

from pydantic import JsonValue

Object = dict[str, JsonValue]


class Refused(Exception):
    """The provider would refuse this request."""


def need(condition: bool, what: str) -> None:
    """Raises `Refused` unless the condition holds."""
    if not condition:
        raise Refused(what)


def objects(value: JsonValue | None, what: str) -> list[Object]:
    """A list of objects."""
    need(isinstance(value, list), f"{what} is a list")
    assert isinstance(value, list)
    return [an_object(one, what) for one in value]


def an_object(value: JsonValue | None, what: str) -> Object:
    """An object."""
    need(isinstance(value, dict), f"{what} is an object, not {value!r:.80}")
    assert isinstance(value, dict)
    return value


def a_text(value: JsonValue | None, what: str) -> str:
    """A text in which something is to be seen."""
    need(isinstance(value, str), f"{what} is a text, not {value!r:.80}")
    assert isinstance(value, str)
    seen = any(unicodedata.category(char) not in {"Zs", "Zl", "Zp", "Cc", "Cf"} for char in value)
    need(seen, f"{what} is not blank: {value!r:.40}")
    return value
