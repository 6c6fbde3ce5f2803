"""Where lines go."""

from __future__ import annotations

import logging
from typing import TextIO

from emulator.console.formats import Format
from emulator.console.started import Started
from emulator.functions import LogLine


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
