"""The ports in memory, but for the table: exact in meaning, held to the same contract tests as the AWS adapters."""

import asyncio
from collections import defaultdict
from dataclasses import dataclass

from dayfly.errors import ErrorCode, Gone
from dayfly.metrics import Metric
from dayfly.runs.invoker import EngineCall


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


class MemoryInvoker:
    """Records calls in `calls` and `warmed`; `fail_with`, when set, is raised instead."""

    def __init__(self) -> None:
        self.calls: list[EngineCall] = []
        self.warmed: list[tuple[str, str]] = []
        self.fail_with: Exception | None = None

    async def start(self, call: EngineCall) -> None:
        if self.fail_with is not None:
            raise self.fail_with
        self.calls.append(call)

    async def warm_up(self, *, user_id: str, tenant_id: str) -> None:
        if self.fail_with is not None:
            raise self.fail_with
        self.warmed.append((user_id, tenant_id))


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


class MemoryPoster:
    """Records the frames of each connection in `frames`. A connection in `gone` has left; `refuse` maps a connection to
    the error that posting to it raises."""

    def __init__(self) -> None:
        self.frames: defaultdict[str, list[bytes]] = defaultdict(list)
        self.gone: set[str] = set()
        self.refuse: dict[str, Exception] = {}

    async def post(self, connection: str, frame: bytes) -> None:
        await asyncio.sleep(0)  # a real post gives way to others too
        if connection in self.gone:
            raise Gone(f"connection {connection} is gone")
        if connection in self.refuse:
            raise self.refuse[connection]
        self.frames[connection].append(frame)
