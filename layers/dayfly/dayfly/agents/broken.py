"""An agent that is installed and cannot be made."""

import traceback
from dataclasses import dataclass
from typing import Final

from dayfly.errors import ConfigurationError

_REASON_CHARS: Final = 300


@dataclass(frozen=True, slots=True)
class Broken:
    """Stands in an agent's place, so that its name stays known and what is wrong can be told. `where` names the file,
    and the line if there is one; `reason` is one sentence."""

    where: str
    reason: str

    def __str__(self) -> str:
        return f"{self.where}: {self.reason}"

    @classmethod
    def by(cls, error: BaseException, where: str) -> "Broken":
        """What was raised, and if `where` is a file, the line of it at which that was."""
        line = _line(error, where)
        return cls(f"{where}, line {line}" if line else where, _sentence(error, where))


def _line(error: BaseException, file: str) -> int | None:
    if isinstance(error, SyntaxError) and error.filename == file:
        return error.lineno
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == file]
    return lines[-1] if lines else None


def _sentence(error: BaseException, file: str) -> str:
    # What a syntax error says of itself ends with its file and line, which is news only for another file's.
    said = error.msg if isinstance(error, SyntaxError) and error.filename == file else str(error)
    kind = "" if isinstance(error, ConfigurationError) else type(error).__name__
    return ": ".join(part for part in (kind, " ".join(said.split())[:_REASON_CHARS]) if part)
