"""A clock that stands until it is moved."""


class ManualClock:
    """Both clocks of the port, moved together by `advance`."""

    def __init__(self, *, now_ms: int = 1_764_000_000_000) -> None:
        self._started_ms = now_ms
        self._passed = 0.0

    def now_ms(self) -> int:
        return self._started_ms + int(self._passed * 1000)

    def monotonic(self) -> float:
        return self._passed

    def advance(self, seconds: float) -> None:
        """Moves on. Raises `ValueError` for a step back: the monotonic clock has none."""
        if seconds < 0:
            raise ValueError("a clock does not go back")
        self._passed += seconds
