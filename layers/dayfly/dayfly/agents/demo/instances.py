"""An instance of a JSON schema, made of the user's words and of what the demo would have answered."""

import re
from datetime import UTC, datetime
from typing import Final

from pydantic import JsonValue

from dayfly.agents.demo.shapes import Schema, resolved

_DEPTH: Final = 8
"""How deep lists and objects are filled in; a type that may hold itself is left empty below."""
_ALWAYS: Final = datetime(2026, 1, 1, 12, tzinfo=UTC)
_FORMATS: Final = {
    "date": _ALWAYS.date().isoformat(),
    "date-time": _ALWAYS.isoformat(),
    "time": "12:00:00Z",
    "duration": "PT1H",
    "email": "demo@example.com",
    "uri": "https://example.com/",
    "uuid": "00000000-0000-4000-8000-000000000000",
    "ipv4": "192.0.2.1",
    "ipv6": "2001:db8::1",
}


def instance_of(schema: Schema, text: str, answer: str) -> JsonValue:
    """A value of this schema: its texts are the answer, its numbers and dates those of the user's text in their order,
    its fixed values those that one of the two names. What a pattern or a validator of one's own wants is not known."""
    return _Maker(text, answer).value(resolved(schema), levels=_DEPTH)


class _Maker:
    def __init__(self, text: str, answer: str) -> None:
        self._words = f"{text} {answer}"
        self._answer = answer
        dates = r"\d{4}-\d\d-\d\d(?:T[\d:.]+(?:Z|[+-]\d\d:\d\d)?)?"
        self._dates = re.findall(dates, self._words)
        self._numbers = re.findall(r"-?\d+(?:\.\d+)?", re.sub(dates, "", self._words))

    def value(self, schema: Schema, *, levels: int) -> JsonValue:
        for several in ("anyOf", "oneOf", "allOf"):
            options = [each for each in _list(schema.get(several)) if isinstance(each, dict)]
            if options:
                return self.value(options[0], levels=levels)
        fixed = [schema["const"]] if "const" in schema else _list(schema.get("enum"))
        if fixed:
            return next((each for each in fixed if isinstance(each, str) and self._names(each)), fixed[0])
        return self._of_type(schema, levels=levels)

    def _of_type(self, schema: Schema, *, levels: int) -> JsonValue:
        match schema.get("type", "object" if "properties" in schema else "string"):
            case "integer":
                return int(self._number(schema, step=1))
            case "number":
                return self._number(schema, step=0.5)
            case "boolean":
                return True
            case "null":
                return None
            case "array":
                return self._array(schema, levels=levels)
            case "object":
                return self._object(schema, levels=levels)
        return self._string(schema)

    def _object(self, schema: Schema, *, levels: int) -> JsonValue:
        properties = schema.get("properties")
        if not isinstance(properties, dict) or levels == 0:
            return {}
        required = _list(schema.get("required"))
        return {
            name: self.value(each, levels=levels - 1)
            for name, each in properties.items()
            if name in required and isinstance(each, dict)
        }

    def _array(self, schema: Schema, *, levels: int) -> JsonValue:
        least = schema.get("minItems", 0)
        items = schema.get("items")
        if levels == 0 or not isinstance(least, int | float):
            return []
        # Without a schema of its own it may be of the type that it stands in.
        count = max(int(least), 1 if items else 0)
        return [self.value(items if isinstance(items, dict) else {}, levels=levels - 1) for _ in range(count)]

    def _number(self, schema: Schema, *, step: float) -> float:
        number = float(self._numbers.pop(0)) if self._numbers else 1.0
        if step == 1:
            number = round(number)
        for name, bound in (("minimum", 0.0), ("exclusiveMinimum", step)):
            if isinstance(limit := schema.get(name), int | float):
                number = max(number, limit + bound)
        for name, bound in (("maximum", 0.0), ("exclusiveMaximum", step)):
            if isinstance(limit := schema.get(name), int | float):
                number = min(number, limit - bound)
        return number

    def _string(self, schema: Schema) -> str:
        kind = schema.get("format")
        if kind in {"date", "date-time"} and self._dates:
            date = self._dates.pop(0)
            return date[:10] if kind == "date" else date if "T" in date else f"{date}T12:00:00+00:00"
        if isinstance(kind, str) and kind in _FORMATS:
            return _FORMATS[kind]
        least, most = schema.get("minLength"), schema.get("maxLength")
        text = self._answer
        if isinstance(most, int):
            text = text[:most]
        return text.ljust(least, ".") if isinstance(least, int) else text

    def _names(self, value: str) -> bool:
        return bool(re.search(rf"\b{re.escape(value)}\b", self._words, re.IGNORECASE))


def _list(value: JsonValue) -> list[JsonValue]:
    return value if isinstance(value, list) else []
