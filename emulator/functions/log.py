"""The log of the functions: their own lines, those of the platform around them, and the end of it for a caller."""

import math
import sys
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

Level = Literal["info", "warning", "error"]

# https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html#lambda-Invoke-response-LogResult: the last 4 KB
TAIL_BYTES = 4096


@dataclass(frozen=True, kw_only=True)
class Report:
    """What the REPORT line says; times in seconds.

    https://docs.aws.amazon.com/lambda/latest/dg/python-logging.html shows it and the lines around it.
    """

    request_id: str
    duration_s: float
    init_s: float | None
    memory_mb: int
    peak_memory_mb: int | None
    status: Literal["timeout", "error"] | None
    error_type: str | None = None

    @property
    def billed_ms(self) -> int:
        """Init and invocation together, rounded up to the millisecond."""
        return math.ceil((self.duration_s + (self.init_s or 0)) * 1000)

    def line(self) -> str:
        """The line as Lambda prints it, tabs and all."""
        duration, billed = self.duration_s * 1000, self.billed_ms
        parts = [
            f"REPORT RequestId: {self.request_id}",
            f"Duration: {duration:.2f} ms",
            f"Billed Duration: {billed} ms",
            f"Memory Size: {self.memory_mb} MB",
        ]
        if self.peak_memory_mb is not None:
            parts.append(f"Max Memory Used: {self.peak_memory_mb} MB")
        if self.init_s is not None:
            parts.append(f"Init Duration: {self.init_s * 1000:.2f} ms")
        if self.status is not None:
            parts.append(f"Status: {self.status}")
        if self.error_type is not None and self.status == "error":
            parts.append(f"Error Type: {self.error_type}")
        return "\t".join(parts)

    def record(self) -> dict[str, object]:
        """The record of a `platform.report` event.

        https://docs.aws.amazon.com/lambda/latest/dg/telemetry-schema-reference.html#platform-report
        """
        metrics: dict[str, object] = {
            "durationMs": round(self.duration_s * 1000, 3),
            "billedDurationMs": self.billed_ms,
            "memorySizeMB": self.memory_mb,
        }
        if self.peak_memory_mb is not None:
            metrics["maxMemoryUsedMB"] = self.peak_memory_mb
        if self.init_s is not None:
            metrics["initDurationMs"] = round(self.init_s * 1000, 3)
        found: dict[str, object] = {"requestId": self.request_id, "metrics": metrics}
        found["status"] = self.status or "success"
        if self.error_type is not None and self.status == "error":
            found["errorType"] = self.error_type
        return found


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


class Tail:
    """The end of one invocation's log, for callers of Invoke that ask with `LogType: Tail`: at most 4 KB."""

    def __init__(self) -> None:
        self._lines: deque[bytes] = deque()
        self._size = 0

    def add(self, line: str) -> None:
        """One more line, without its end."""
        text = line.encode() + b"\n"
        self._lines.append(text)
        self._size += len(text)
        while self._size - len(self._lines[0]) >= TAIL_BYTES:
            self._size -= len(self._lines.popleft())

    def value(self) -> bytes:
        """The last 4 KB; the first line may be cut."""
        return b"".join(self._lines)[-TAIL_BYTES:]
