"""Whether a count grows faster than what it is held against."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from bench.report import Cell

TOLERANCE: Final = 0.2
"""What a count may grow faster by, from one size to the next: a page more, a look at the audience more. Where each
event reads all that came before it, twice the events cost four times as much: twice as much as allowed."""
MARK: Final = "grows faster than the events"


@dataclass(frozen=True, slots=True)
class Series:
    """One count at each size. `events` is what it may grow with, at the same sizes; `judged_from` is the index of the
    first size that counts for the judgement."""

    what: str
    counts: tuple[float, ...]
    events: tuple[float, ...]
    judged_from: int = 0

    @property
    def steepest(self) -> float:
        """The greatest growth from one judged size to the next, over the events' own."""
        return steepest(self.counts[self.judged_from :], self.events[self.judged_from :])

    @property
    def faster(self) -> bool:
        """Whether that is beyond the tolerance."""
        return grows_faster(self.counts[self.judged_from :], self.events[self.judged_from :], tolerance=TOLERANCE)

    def row(self) -> tuple[Cell, ...]:
        """The counts, their growth from the first judged size to the last, the events' growth, the one over the other,
        the steepest step, and the mark."""
        counts, events = self.counts[self.judged_from :], self.events[self.judged_from :]
        own, allowed = growth(counts[0], counts[-1]), growth(events[0], events[-1])
        return self.what, *self.counts, own, allowed, own / allowed, self.steepest, MARK if self.faster else "holds"


def growth(first: float, last: float) -> float:
    """How many times as much. What was nothing counts as one, so that a first page is no infinite growth."""
    return max(last, 1) / max(first, 1)


def steepest(counts: Sequence[float], events: Sequence[float]) -> float:
    """The greatest growth of the counts from one size to the next, over the events' growth. Step by step, because what
    every run costs anyway would hide it over the whole span. Raises `ValueError` for sizes that do not match, or one
    alone."""
    steps = zip(counts, counts[1:], events, events[1:], strict=False)
    if len(counts) != len(events):
        raise ValueError("counts and events are of different sizes")
    return max(growth(before, after) / growth(low, high) for before, after, low, high in steps)


def grows_faster(counts: Sequence[float], events: Sequence[float], *, tolerance: float) -> bool:
    """Whether the counts grow faster than the events in any step, by more than the tolerance (0.1: a tenth)."""
    return steepest(counts, events) > 1 + tolerance
