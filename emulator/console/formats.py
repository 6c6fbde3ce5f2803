"""The formats to choose from."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Final, Literal, Protocol, get_args

from emulator.console.as_lambda import AsLambda
from emulator.console.colours import Colours
from emulator.console.json_lines import JsonLines
from emulator.console.readable import Readable
from emulator.console.started import Started
from emulator.functions import LogLine

LogFormat = Literal["readable", "lambda", "json"]
FORMATS: Final[tuple[LogFormat, ...]] = get_args(LogFormat)


class Format(Protocol):
    """Turns what happens into text without its last line end; an empty one is not shown."""

    def function_line(self, line: LogLine) -> str:
        """A line of a function, of Lambda around it, or of the emulator about it."""
        ...

    def own_line(self, record: logging.LogRecord) -> str:
        """A line of the emulator's own loggers."""
        ...

    def started(self, started: Started) -> str:
        """The application runs."""
        ...

    def failed(self, message: str) -> str:
        """The emulator could not start."""
        ...


def make_format(name: LogFormat, *, colours: Colours, functions: Iterable[str] = ()) -> Format:
    """The format of this name; `functions` are the names in the order of the template, for width and colour."""
    if name == "json":
        return JsonLines()
    return AsLambda() if name == "lambda" else Readable(colours, functions)
