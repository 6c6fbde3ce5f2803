"""The arguments of a tool that nobody foresaw, taken from the user's words."""

import json
import re
from collections.abc import Sequence
from typing import Final, Never

from pydantic import JsonValue

from dayfly.agents.demo.shapes import Parameter, Schema, required_of


class _Missing:
    """The words have no value."""


_MISSING: Final = _Missing()


def json_in(text: str) -> tuple[str, dict[str, JsonValue]] | None:
    """The first JSON object in the text, with the words before it."""
    start = text.find("{")
    if start < 0:
        return None
    try:
        found, _ = json.JSONDecoder(parse_constant=_refuse).raw_decode(text, start)
        json.dumps(found, ensure_ascii=False).encode()  # an escape can stand for half a character
    except (ValueError, RecursionError):
        return None
    return text[:start], found


def _refuse(constant: str) -> Never:
    raise ValueError(f"{constant} is no JSON")


def arguments_from(clause: str, parameters: Sequence[Parameter], *, last_word: str) -> dict[str, JsonValue]:
    """A value for each parameter that the clause has one for. `last_word`: the last of the tool's name.

    Numbers are taken in their order; dates as they stand there; of fixed values the one that is named, else the first;
    text is what stands in quotes, behind a preposition or behind the tool's name.
    """
    words = _Words(clause, last_word)
    values = ((parameter.name, words.value(parameter.schema)) for parameter in parameters)
    return {name: value for name, value in values if not isinstance(value, _Missing)}


def bare(text: str) -> str:
    """The text without the quotes and marks around it."""
    return text.strip().strip("\"'“”„ ?.!")


class _Words:
    """A clause whose numbers are used up one after the other."""

    def __init__(self, clause: str, last_word: str) -> None:
        self._clause = clause
        self._last_word = last_word
        self._dates = re.findall(r"\d{4}-\d\d-\d\d(?:T[\d:.]+(?:Z|[+-]\d\d:\d\d)?)?", clause)
        self._numbers = re.findall(r"-?\d+(?:\.\d+)?", re.sub(r"\d{4}-\d\d-\d\d\S*", "", clause))

    def value(self, schema: Schema) -> JsonValue | _Missing:
        """A value of this schema; of alternatives it is one of the first."""
        for several in ("anyOf", "oneOf", "allOf"):
            options = schema.get(several)
            if isinstance(options, list) and options:
                return self.value(options[0] if isinstance(options[0], dict) else {})
        fixed = [schema["const"]] if "const" in schema else schema.get("enum")
        if isinstance(fixed, list) and fixed:
            return next((each for each in fixed if self._names(each)), fixed[0])
        return self._of_type(schema)

    def _of_type(self, schema: Schema) -> JsonValue | _Missing:
        match schema.get("type", "string"):
            case "integer" | "number":
                return self._number()
            case "boolean":
                return True
            case "string":
                return self._text(schema)
            case "array":
                items = schema.get("items")
                return self._list(items if isinstance(items, dict) else {})
            case "object":
                values = ((each.name, self.value(each.schema)) for each in required_of(schema))
                return {name: value for name, value in values if not isinstance(value, _Missing)}
        return _MISSING

    def _number(self) -> JsonValue | _Missing:
        if not self._numbers:
            return _MISSING
        number = self._numbers.pop(0)
        return float(number) if "." in number else int(number)

    def _text(self, schema: Schema) -> JsonValue | _Missing:
        if schema.get("format") in {"date", "date-time"}:
            return self._dates.pop(0) if self._dates else _MISSING
        match = re.search(r'"([^"]+)"|\b(?:in|for|about|of|to|with|named|called)\s+(.+)$', self._clause) or re.search(
            rf"\b{re.escape(self._last_word)}\w*\s+(.+)$", self._clause, re.IGNORECASE
        )
        return bare(next((group for group in match.groups() if group), "")) if match else self._clause

    def _list(self, items: Schema) -> list[JsonValue]:
        fixed = items.get("enum")
        if isinstance(fixed, list):
            return [each for each in fixed if self._names(each)] or fixed[:1]
        value = self.value(items)
        return [] if isinstance(value, _Missing) else [value]

    def _names(self, value: JsonValue) -> bool:
        return isinstance(value, str) and bool(re.search(rf"\b{re.escape(value)}\b", self._clause, re.IGNORECASE))
