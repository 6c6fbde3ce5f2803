"""Where faults are put into Lambda: it asks here before each step that can go wrong on AWS."""

from typing import Protocol


class Faults(Protocol):
    """What shall go wrong next. Every method names the one function concerned."""

    def deliveries(self, function: str) -> tuple[float, ...]:
        """Asked once for each queued event. AWS delivers at least once, so more than one delivery is legal.

        The seconds after which each delivery happens: `(0.0,)` is normal, `()` loses the event, two duplicate it.
        """
        ...

    def delayed_by(self, function: str) -> float:
        """Asked before each invocation: the seconds that it waits before it begins."""
        ...

    def is_throttled(self, function: str) -> bool:
        """Asked before each invocation: whether it is refused as if no environment were free."""
        ...

    def killed_after(self, function: str) -> float | None:
        """Asked at the start of each invocation: the seconds after which its environment is killed, or None."""
        ...


class NoFaults:
    """Every event is delivered once, at once; nothing waits, is refused or killed."""

    def deliveries(self, function: str) -> tuple[float, ...]:
        """One delivery, now."""
        return (0.0,)

    def delayed_by(self, function: str) -> float:
        """Not at all."""
        return 0.0

    def is_throttled(self, function: str) -> bool:
        """Never."""
        return False

    def killed_after(self, function: str) -> float | None:
        """Never."""
        return None
