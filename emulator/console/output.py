"""Where lines go, and in which format."""

import logging
from collections.abc import Iterable
from typing import Final, Literal, Protocol, TextIO, get_args

from emulator.console.banner import Started
from emulator.console.json_lines import JsonLines
from emulator.console.terminal import Colours
from emulator.console.text_formats import AsLambda, Readable
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


class Output(logging.Handler):
    """Writes in one format to one stream, whoever speaks: the functions, the emulator's loggers, its start."""

    def __init__(self, form: Format, stream: TextIO) -> None:
        super().__init__()
        self._form = form
        self._stream = stream
        self._closed = False

    def function_line(self, line: LogLine) -> None:
        """A line of a function or about one."""
        self._write(self._form.function_line(line))

    def started(self, started: Started) -> None:
        """The application runs."""
        self._write(self._form.started(started))

    def failed(self, message: str) -> None:
        """It does not, and why."""
        self._write(self._form.failed(message))

    def emit(self, record: logging.LogRecord) -> None:
        """A line of the emulator's own loggers."""
        self._write(self._form.own_line(record))

    def _write(self, text: str) -> None:
        if not text or self._closed:
            return
        try:
            self._stream.write(text + "\n")
            self._stream.flush()
        except BrokenPipeError:
            self._closed = True  # nobody reads any more, as after `| head`: no reason to end
        except UnicodeEncodeError:
            encoding = self._stream.encoding
            self._stream.write(text.encode(encoding, "backslashreplace").decode(encoding) + "\n")
            self._stream.flush()
