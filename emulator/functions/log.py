"""The log of the functions: their own lines and those of the platform around them."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from emulator.functions.report import Report

Level = Literal["info", "warning", "error"]


@dataclass(frozen=True)
class LogLine:
    """One line without its end. `source` tells a function's own words from START, END, REPORT and the like, and these
    from the emulator's, which Lambda would not write. `report` has the figures of a REPORT line."""

    function: str
    text: str
    source: Literal["function", "platform", "notice"]
    request_id: str | None
    report: Report | None = None
    level: Level = "info"


LogSink = Callable[[LogLine], None]


def print_line(line: LogLine) -> None:
    """Write a line with its function's name in front to standard error."""
    sys.stderr.write(f"[{line.function}] {line.text}\n")
