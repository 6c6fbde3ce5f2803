"""Where faults are put into Lambda: it asks here before each step that can go wrong on AWS."""

from __future__ import annotations

from typing import Protocol


class Faults(Protocol):
    """What shall go wrong next. Every method names the one function concerned."""

    def deliveries(self, function: str) -> tuple[float, ...]:
        """Asked once for each queued event. AWS delivers at least once, so more than one delivery is legal.

        The seconds after which each delivery happens: `(0.0,)` is normal, `()` loses the event, two duplicate it.
        """
        ...

    def killed_after(self, function: str) -> float | None:
        """Asked at the start of each invocation: the seconds after which its environment is killed, or None."""
        ...


class NoFaults:
    """Every event is delivered once, at once; no environment is killed."""

    def deliveries(self, function: str) -> tuple[float, ...]:
        """One delivery, now."""
        return (0.0,)

    def killed_after(self, function: str) -> float | None:
        """Never."""
        return None
