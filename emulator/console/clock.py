"""Times as they stand in front of a line."""

from __future__ import annotations

import time
from datetime import UTC, datetime


class Clock:
    """The local time of day; a second's text is made once."""

    def __init__(self) -> None:
        self._second = -1
        self._text = ""

    def __call__(self, at: float | None = None) -> str:
        """`HH:MM:SS.mmm` of now, or of a time in seconds since 1970."""
        at = time.time() if at is None else at
        second = int(at)
        if second != self._second:
            self._second, self._text = second, time.strftime("%H:%M:%S", time.localtime(second))
        return f"{self._text}.{int(at % 1 * 1000):03d}"


def iso(at: float | None = None) -> str:
    """RFC 3339 in UTC with milliseconds, of now or of a time in seconds since 1970."""
    moment = datetime.fromtimestamp(time.time() if at is None else at, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z"
