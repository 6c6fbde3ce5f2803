"""Time. Waiting is asyncio's own; so that a test's event loop can run it faster."""

import time
from typing import Protocol


class Clock(Protocol):
    """Two clocks: one to show and to store, one to measure with."""

    def now_ms(self) -> int:
        """Milliseconds since the epoch. Clocks of different machines disagree; nothing may depend on that."""

    def monotonic(self) -> float:
        """Seconds on a clock that never goes back."""


class SystemClock:
    """The machine's own clocks."""

    def now_ms(self) -> int:
        return time.time_ns() // 1_000_000

    def monotonic(self) -> float:
        return time.monotonic()
