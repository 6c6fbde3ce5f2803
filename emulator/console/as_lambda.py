"""Lines as CloudWatch has them, with START, END and REPORT, each after the function's name."""

from __future__ import annotations

import logging

from emulator.console.banner import banner
from emulator.console.clock import Clock
from emulator.console.colours import Colours
from emulator.console.own import own_text
from emulator.console.started import Started
from emulator.console.visible import visible
from emulator.functions import LogLine


class AsLambda:
    """Nothing is left out, and nothing changed but control characters."""

    def __init__(self) -> None:
        self._clock = Clock()

    def function_line(self, line: LogLine) -> str:
        """`TIME [function] text`."""
        return f"{self._clock()} {f'[{line.function}]':<12} {visible(line.text)}"

    def own_line(self, record: logging.LogRecord) -> str:
        """`TIME text`."""
        return f"{self._clock(record.created)} {visible(own_text(record))}"

    def started(self, started: Started) -> str:
        """The banner."""
        return banner(started, Colours(on=False))

    def failed(self, message: str) -> str:
        """`emulator: why`."""
        return f"emulator: {message}"
