"""Where tests reach into asynchronous delivery."""

from __future__ import annotations

from typing import Protocol


class Faults(Protocol):
    """Asked once for each queued event. AWS delivers at least once, so more than one delivery is legal."""

    def deliveries(self, function: str) -> tuple[float, ...]:
        """The seconds after which each delivery happens: `(0.0,)` is normal, `()` loses the event, two duplicate it."""
        ...


class NoFaults:
    """Every event is delivered once, at once."""

    def deliveries(self, function: str) -> tuple[float, ...]:
        """One delivery, now."""
        return (0.0,)
