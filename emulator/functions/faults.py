"""Where tests reach into asynchronous delivery."""

from __future__ import annotations

from collections.abc import Mapping
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


class LostEvents:
    """Loses the first events of some functions, as a failing network or a full queue would."""

    def __init__(self, counts: Mapping[str, int]) -> None:
        self._left = dict(counts)

    def deliveries(self, function: str) -> tuple[float, ...]:
        """None while there are events to lose, then one, now."""
        left = self._left.get(function, 0)
        if left:
            self._left[function] = left - 1
            return ()
        return (0.0,)
