"""Route selection expressions: which route a message goes to.

https://docs.aws.amazon.com/apigateway/latest/developerguide/websocket-api-develop-routes.html and, for the language,
https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-api-selection-expressions.html
"""

import json
import re
from dataclasses import dataclass

# A variable in braces or without, an escaped dollar sign, or anything else as it stands.
_PART = re.compile(
    r"\$\{(?P<braced>[^{}$]*)\}|\$(?P<bare>[A-Za-z][\w.\[\]'\"-]*)|\\(?P<escaped>\$)|(?P<text>[^$\\]+|\\)"
)
_PREFIX = "request.body"
_STEPS = re.compile(r"(?:\.[A-Za-z0-9_-]+|\[\d+\]|\['[^']+'\]|\[\"[^\"]+\"\])+")
_STEP = re.compile(r"\.([A-Za-z0-9_-]+)|\[(\d+)\]|\['([^']+)'\]|\[\"([^\"]+)\"\]")


@dataclass(frozen=True)
class Variable:
    """A path into the message: names and indexes."""

    path: tuple[str | int, ...]

    def of(self, message: object) -> str:
        """The value as text; nothing is the empty string."""
        value = message
        for step in self.path:
            if isinstance(step, int):
                if not isinstance(value, list) or step >= len(value):
                    return ""
                value = value[step]
            else:
                if not isinstance(value, dict) or step not in value:
                    return ""
                value = value[step]
        return _text(value)


class RouteSelection:
    """A compiled expression: text and variables such as `$request.body.a` or `${request.body.a[0].b}`, one or more.

    Raises `ValueError` if it names anything but the message's body, or no plain path in it.
    """

    def __init__(self, expression: str) -> None:
        self._parts: list[str | Variable] = []
        end = 0
        for match in _PART.finditer(expression.strip()):
            if match.start() != end:
                break
            end = match.end()
            name = match["braced"] if match["braced"] is not None else match["bare"]
            self._parts.append(match["escaped"] or match["text"] if name is None else _variable(name, expression))
        if not self._parts or end != len(expression.strip()):
            raise ValueError(f"the route selection expression {expression!r} can't be read")

    def select(self, text: str) -> str | None:
        """The route key that a message names; None if it needs the body and that is not JSON."""
        if not any(isinstance(part, Variable) for part in self._parts):
            return "".join(str(part) for part in self._parts)
        try:
            message = json.loads(text)
        except (ValueError, RecursionError):
            return None
        return "".join(part if isinstance(part, str) else part.of(message) for part in self._parts)


def _variable(name: str, expression: str) -> Variable:
    steps = name.removeprefix(_PREFIX)
    if steps == name or _STEPS.fullmatch(steps) is None:
        raise ValueError(f"the route selection expression {expression!r} is not of the form $request.body.name")
    return Variable(
        tuple(int(match[2]) if match[2] else match[1] or match[3] or match[4] for match in _STEP.finditer(steps))
    )


def _text(value: object) -> str:
    """The documentation shows an array as `[item1, item2]`, and advises against objects."""
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case list():
            return f"[{', '.join(_text(each) for each in value)}]"
        case dict():
            return f"{{{', '.join(f'{name}={_text(each)}' for name, each in value.items())}}}"
        case _:
            return str(value)
