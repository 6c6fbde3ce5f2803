"""The log of the functions: their own lines and those of the platform around them."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class LogLine:
    """One line without its end. `source` tells a function's own words from START, END, REPORT and the like."""

    function: str
    text: str
    source: Literal["function", "platform"]
    request_id: str | None


LogSink = Callable[[LogLine], None]


def print_line(line: LogLine) -> None:
    """Write a line with its function's name in front to standard error."""
    sys.stderr.write(f"[{line.function}] {line.text}\n")
