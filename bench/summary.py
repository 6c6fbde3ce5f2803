"""From samples to the few figures that are printed."""

import math
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Summary:
    """Order statistics of samples, in the samples' unit."""

    n: int
    p50: float
    p99: float
    worst: float


def summary(samples: Sequence[float]) -> Summary:
    """Nearest-rank percentiles. Raises `ValueError` without samples."""
    if not samples:
        raise ValueError("no samples")
    ranked = sorted(samples)
    return Summary(len(ranked), _rank(ranked, 0.5), _rank(ranked, 0.99), ranked[-1])


def median(samples: Sequence[float]) -> float:
    """The median, nearest rank."""
    return summary(samples).p50


def _rank(ranked: Sequence[float], share: float) -> float:
    return ranked[max(0, math.ceil(share * len(ranked)) - 1)]
