"""One figure that a developer changes: a time in seconds or a count."""

from __future__ import annotations

_LONGEST_S = 86_400.0
_MOST = 2**31 - 1


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
