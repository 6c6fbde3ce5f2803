"""The platform's lines around an invocation.

https://docs.aws.amazon.com/lambda/latest/dg/python-logging.html shows them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, kw_only=True)
class Report:
    """What the REPORT line says; times in seconds."""

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
