"""How long, how many, how often, and what is too much."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Times in seconds. The first quarter of the duration is warm-up: memory is compared after it."""

    duration_s: float = 600.0
    connections: int = 1000
    rate: float = 60.0
    """Messages a second over all connections."""

    churn: float = 2.0
    """Connections that are closed and opened again, a second, half of them without a close frame."""

    answer_s: float = 30.0
    """A message that has not arrived by then is lost."""

    emulator_growth_mb: float = 8.0
    environment_growth_mb: float = 4.0
    """Allowed between the first and the last third after the warm-up; what an allocator keeps for itself varies."""

    sample_s: float = 1.0
    """Between two looks at memory."""

    @property
    def warm_up_s(self) -> float:
        """Until memory is compared."""
        return self.duration_s / 4
