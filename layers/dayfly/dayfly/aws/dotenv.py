"""The `.env` file in the root of a project, for running on the developer's own machine: names and values that reach the
engine alone. On AWS there is none.

A line is `NAME=value`, with `export` before it or not; empty lines and lines that begin with `#` say nothing. A value
may stand in single quotes, in which every character counts, or in double quotes, in which a backslash before `n`, `t`,
`r`, `"`, `$` or a backslash has its usual meaning; in both it may go over several lines. Without quotes it ends before
` #` and loses the blanks around it.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from threading import Lock
from typing import Final

from dayfly.errors import ConfigurationError

_LINE: Final = re.compile(
    r"""
    [ \t]* (?:export[ \t]+)? (?P<name>[A-Za-z_][A-Za-z0-9_.-]*) [ \t]* = [ \t]*
    (?: '(?P<single>[^']*)' | "(?P<double>(?:[^"\\]|\\.)*)" | (?P<bare>(?!['"])[^\n]*?) )
    [ \t]* (?:(?<=[ \t=])\#[^\n]*)? (?:\n|\Z)
    """,
    re.VERBOSE | re.DOTALL,
)
_NOTHING: Final = re.compile(r"[ \t]*(?:#[^\n]*)?(?:\n|\Z)")
_ESCAPE: Final = re.compile(r"\\(.)", re.DOTALL)
_ESCAPED: Final = {"n": "\n", "t": "\t", "r": "\r", '"': '"', "\\": "\\", "$": "$"}


class DotenvFile:
    """The file at this path, read again whenever it has changed. A file that is not there is empty."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = Lock()
        self._read: tuple[int, int, int] | None = None
        self._values: Mapping[str, str] = {}

    def get(self, name: str) -> str | None:
        """The value of this name, or `None`. Raises `ConfigurationError` for a file that cannot be read."""
        return self.values().get(name)

    def values(self) -> Mapping[str, str]:
        """All names and values, the last line of a name counting. Raises `ConfigurationError`, which names the line
        that is wrong, and never what stands in it."""
        with self._lock:
            try:
                found = self.path.stat()
                read = (found.st_mtime_ns, found.st_size, found.st_ino)
                if read != self._read:
                    self._values = parse_dotenv(self.path.read_text("utf-8-sig"))
                    self._read = read
            except FileNotFoundError:
                self._values, self._read = {}, None
            except (OSError, UnicodeDecodeError) as error:
                raise ConfigurationError(f"{self.path.name} cannot be read: {type(error).__name__}") from error
            return self._values


def parse_dotenv(text: str) -> dict[str, str]:
    """The names and values of such a file. Raises `ConfigurationError`."""
    text = text.replace("\r\n", "\n")
    values: dict[str, str] = {}
    place = 0
    while place < len(text):
        if nothing := _NOTHING.match(text, place):
            place = nothing.end()
            continue
        line = _LINE.match(text, place)
        if line is None:
            raise ConfigurationError(f".env, line {text.count(chr(10), 0, place) + 1}: not NAME=value")
        place = line.end()
        if line["double"] is not None:
            value = _ESCAPE.sub(lambda escape: _ESCAPED.get(escape[1], escape[0]), line["double"])
        else:
            value = line["single"] if line["single"] is not None else line["bare"].rstrip(" \t")
        values[line["name"]] = value
    return values
