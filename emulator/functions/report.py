"""The platform's lines around an invocation.

https://docs.aws.amazon.com/lambda/latest/dg/python-logging.html shows them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Report:
    """What the REPORT line says; times in seconds."""

    request_id: str
    duration_s: float
    init_s: float | None
    memory_mb: int
    peak_memory_mb: int | None
    status: str | None

    def line(self) -> str:
        """The line as Lambda prints it, tabs and all."""
        duration = self.duration_s * 1000
        billed = math.ceil(duration + (self.init_s or 0) * 1000)
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
        return "\t".join(parts)
