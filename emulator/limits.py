"""Limits that a developer changes one by one: a time in seconds or a count each."""

from dataclasses import dataclass, fields, replace
from typing import Any, Self

_LONGEST_S = 86_400.0
_MOST = 2**31 - 1


@dataclass(frozen=True)
class ChangeableLimits:
    """Subclasses are dataclasses whose fields are the limits: `float` for seconds, `int` for a count."""

    def shortened(self, name: str, value: float) -> Self:
        """A copy with one limit changed. Raises `ValueError` for an unknown name or a value that can't be."""
        known = {field.name: field.type for field in fields(self)}
        if name not in known:
            raise ValueError(f"no limit is called {name!r}; there are {', '.join(known)}")
        changed: dict[str, Any] = {name: checked(name, value, whole=known[name] in (int, "int"))}
        return replace(self, **changed)


def checked(name: str, value: float, *, whole: bool) -> float:
    """The value of the limit `name`: at most a day of seconds, or a whole number. Raises `ValueError`."""
    if not value > 0:
        raise ValueError(f"the limit {name} must be positive")
    most = _MOST if whole else _LONGEST_S
    if value > most:
        raise ValueError(f"the limit {name} must be at most {most:.0f}")
    if whole and value != int(value):
        raise ValueError(f"the limit {name} must be a whole number")
    return int(value) if whole else value
