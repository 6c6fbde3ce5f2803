"""How long a function has taken of late, so that a call can tell whether waiting or starting is quicker."""

from __future__ import annotations

_WEIGHT = 0.2


class Pace:
    """Moving averages, in seconds, of one function's calls and inits; None until the first one has ended."""

    def __init__(self) -> None:
        self.call_s: float | None = None
        self.init_s: float | None = None

    def called(self, seconds: float) -> None:
        """A call has ended."""
        self.call_s = _moved(self.call_s, seconds)

    def initialised(self, seconds: float) -> None:
        """An init has ended well."""
        self.init_s = _moved(self.init_s, seconds)

    def patience(self, *, ahead: int, busy: int, cores: int) -> float:
        """For how many seconds a call should wait for one of `busy` environments before another is started, with so
        many calls ahead of it.

        Zero while there are fewer than processor cores to run them, or if it expects to wait for longer than a start
        takes. Who waits as long as a start takes, and in vain, has lost no more than that. While no call has ended yet,
        a moment may show how long they take.
        """
        if self.init_s is None or busy < cores:
            return 0.0
        if self.call_s is None:
            return self.init_s / 4
        return self.init_s if self.call_s * (ahead + 1) / busy < self.init_s else 0.0


def _moved(average: float | None, seconds: float) -> float:
    return seconds if average is None else average + _WEIGHT * (seconds - average)
