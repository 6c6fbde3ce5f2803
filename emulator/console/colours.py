"""Colours of a terminal, or none."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, TextIO

DIM: Final = "2"
BOLD: Final = "1"
RED: Final = "31"
YELLOW: Final = "33"

# One for each function in turn. Red is for errors, yellow for warnings.
_FUNCTIONS: Final = ("36", "32", "35", "34", "96", "92", "95", "94")


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


def wanted(stream: TextIO, environment: Mapping[str, str]) -> bool:
    """Whether to paint: on a terminal only, unless one of the usual variables says otherwise.

    https://no-color.org, https://force-color.org; NO_COLOR wins, as in Python itself
    (https://docs.python.org/3/using/cmdline.html#controlling-color).
    """
    if environment.get("NO_COLOR"):
        return False
    if environment.get("FORCE_COLOR"):
        return True
    return environment.get("TERM") != "dumb" and stream.isatty()
