"""A meter that keeps what it was given."""

from dataclasses import dataclass

from dayfly.errors import ErrorCode
from dayfly.ports.meter import Metric


@dataclass(frozen=True, slots=True)
class Measurement:
    """One value as given to the meter."""

    metric: Metric
    value: float
    code: ErrorCode | None = None


class MemoryMeter:
    """Records measurements in `taken`."""

    def __init__(self) -> None:
        self.taken: list[Measurement] = []

    def add(self, metric: Metric, value: float = 1, *, code: ErrorCode | None = None) -> None:
        self.taken.append(Measurement(metric, value, code))

    def total(self, metric: Metric) -> float:
        """The sum of all values of one metric."""
        return sum(one.value for one in self.taken if one.metric is metric)
