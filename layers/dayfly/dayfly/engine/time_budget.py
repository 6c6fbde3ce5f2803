"""Whether another step fits into what is left of an engine's time."""

from dataclasses import dataclass
from typing import Final

from dayfly.clock import Clock

MARGIN_S: Final = 30.0
"""With less than so many seconds left, or less than a tenth of the engine's time, no step is begun."""
HEADROOM: Final = 1.5
"""A step is expected to take no longer than this times the longest one so far."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunLimits:
    """Milliseconds: how long a run may take over all of its engines, and how long it waits for its user's approval."""

    run_ms: int = 3600 * 1000
    approval_ms: int = 3600 * 1000


class TimeBudget:
    """One attempt's time, in seconds of the monotonic clock. `deadline`: the invocation's; `run_left_s`: what is left
    of the time that the run may take over all of its engines."""

    def __init__(self, clock: Clock, *, deadline: float, run_left_s: float) -> None:
        self._clock = clock
        self._began = self._boundary = clock.monotonic()
        self._deadline = deadline
        self._run_ends = self._began + run_left_s
        self._margin = min(MARGIN_S, (deadline - self._began) / 10)
        self._longest = 0.0
        self._progress = False

    @property
    def left_s(self) -> float:
        """Seconds until the attempt has to stop, whatever it is at."""
        return max(0.0, min(self._deadline, self._run_ends) - self._clock.monotonic())

    @property
    def run_is_over(self) -> bool:
        """Whether it is the run's time that is used up, so that no other engine may go on."""
        return self._clock.monotonic() >= self._run_ends

    def progress(self) -> None:
        """Something was completed that another engine would not do again."""
        self._progress = True

    def another_step_fits(self, *, wait_s: float = 0.0) -> bool:
        """To be asked between two steps, of which the next begins in `wait_s` seconds. The first step of an attempt
        always fits: another engine would have no more time for it than this one."""
        now = self._clock.monotonic()
        self._longest = max(self._longest, now - self._boundary)
        self._boundary = now
        return not self._progress or self._deadline - now - wait_s >= max(self._margin, HEADROOM * self._longest)
