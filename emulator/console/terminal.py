"""What a terminal shows: colours, times, and control characters made visible."""

import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final, TextIO

DIM: Final = "2"
BOLD: Final = "1"
RED: Final = "31"
YELLOW: Final = "33"

# One for each function in turn. Red is for errors, yellow for warnings.
_FUNCTIONS: Final = ("36", "32", "35", "34", "96", "92", "95", "94")

# C0 but for tab and line end, DEL, and C1 (ECMA-48).
_HIDDEN = {code: f"\\x{code:02x}" for code in (*range(0x20), *range(0x7F, 0xA0)) if chr(code) not in "\t\n"}
_HIDDEN_IN_JSON = {code: f"\\u{code:04x}" for code in range(0x7F, 0xA0)}


class Colours:
    """Paints with SGR sequences (ECMA-48, 8.3.117); `on` False leaves everything as it is."""

    def __init__(self, on: bool) -> None:
        self._on = on

    def paint(self, text: str, *codes: str) -> str:
        """The text in these colours."""
        return f"\x1b[{';'.join(codes)}m{text}\x1b[0m" if self._on and text and codes else text

    @staticmethod
    def of_function(index: int) -> str:
        """The colour of the function at this place in the template."""
        return _FUNCTIONS[index % len(_FUNCTIONS)]


def wants_colours(stream: TextIO, environment: Mapping[str, str]) -> bool:
    """Whether to paint: on a terminal only, unless one of the usual variables says otherwise.

    https://no-color.org, https://force-color.org; NO_COLOR wins, as in Python itself
    (https://docs.python.org/3/using/cmdline.html#controlling-color).
    """
    if environment.get("NO_COLOR"):
        return False
    if environment.get("FORCE_COLOR"):
        return True
    return environment.get("TERM") != "dumb" and stream.isatty()


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


def visible(text: str) -> str:
    """The text with `\\x1b` for ESC and so on: what a function prints shall not move the cursor of whoever reads."""
    return text.translate(_HIDDEN)


def visible_json(document: str) -> str:
    """A JSON document that escapes what JSON allows to stand as it is (RFC 8259 section 7), DEL and C1."""
    return document.translate(_HIDDEN_IN_JSON)
