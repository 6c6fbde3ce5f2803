"""The pipe that carries an environment's standard output and error."""

import asyncio
import os
from collections.abc import Callable

_CHUNK = 65536
_LONGEST_LINE = 256 * 1024  # CloudWatch cuts an event there


class LogPipe:
    """Hands on complete lines as they arrive; `flush` takes what is already there, so that order can be kept."""

    def __init__(self, on_line: Callable[[str], None]) -> None:
        self._on_line = on_line
        self._buffer = b""
        self._read, self._write = os.pipe()
        os.set_blocking(self._read, False)
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self._read, self.drain)
        self._open = True

    @property
    def write_end(self) -> int:
        """The descriptor for the child; close ours with `handed_over` once the child has it."""
        return self._write

    def handed_over(self) -> None:
        """Close the parent's copy of the write end."""
        os.close(self._write)

    def drain(self) -> None:
        """Read everything that can be read without waiting."""
        while self._open:
            try:
                chunk = os.read(self._read, _CHUNK)
            except BlockingIOError:
                return
            if not chunk:
                self._loop.remove_reader(self._read)
                return
            self._feed(chunk)

    def flush(self) -> None:
        """Take what is there, a last line without an end too."""
        self.drain()
        if self._buffer:
            self._emit(self._buffer)
            self._buffer = b""

    def close(self) -> None:
        """Take what is left and close."""
        if not self._open:
            return
        self.flush()
        self._open = False
        self._loop.remove_reader(self._read)
        os.close(self._read)

    def _feed(self, chunk: bytes) -> None:
        *lines, self._buffer = (self._buffer + chunk).split(b"\n")
        for line in lines:
            self._emit(line)
        if len(self._buffer) > _LONGEST_LINE:
            self._emit(self._buffer)
            self._buffer = b""

    def _emit(self, line: bytes) -> None:
        # The runtime client ends the lines of a traceback with a carriage return: one log event, several lines.
        self._on_line(line.decode("utf-8", "replace").replace("\r", "\n"))
