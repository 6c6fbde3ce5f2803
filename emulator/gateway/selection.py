"""Route selection expressions: which route a message goes to.

https://docs.aws.amazon.com/apigateway/latest/developerguide/websocket-api-develop-routes.html
"""

from __future__ import annotations

import json
import re

_BODY = re.compile(r"\$\{?request\.body\.([A-Za-z0-9_.\[\]-]+)\}?")
_STEP = re.compile(r"([A-Za-z0-9_-]+)|\[(\d+)\]")


class RouteSelection:
    """A compiled expression, `$request.body.a.b` or `${request.body.a.b}`. Raises `ValueError` for another form."""

    def __init__(self, expression: str) -> None:
        match = _BODY.fullmatch(expression.strip())
        if match is None:
            raise ValueError(f"the route selection expression {expression!r} is not of the form $request.body.name")
        self._path = tuple(name or int(index) for name, index in _STEP.findall(match[1]))

    def select(self, text: str) -> str | None:
        """The route key that a message names, or None if it is not JSON or the path leads to no plain value."""
        try:
            value = json.loads(text)
        except (ValueError, RecursionError):
            return None
        for step in self._path:
            if isinstance(step, int):
                if not isinstance(value, list) or step >= len(value):
                    return None
                value = value[step]
            else:
                if not isinstance(value, dict) or step not in value:
                    return None
                value = value[step]
        if isinstance(value, bool):
            return "true" if value else "false"
        return str(value) if isinstance(value, (str, int, float)) else None
