"""Memory of the emulator and of its environments, over time."""

from __future__ import annotations

import asyncio
import statistics
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Sample:
    """At `at_s` since the start. Memory is resident memory in MB, `environments` by process id; `files` are open
    descriptors, None where unknown."""

    at_s: float
    emulator_mb: float
    environments: Mapping[int, float]
    files: int | None


@dataclass
class Memory:
    """Looks at an emulator's processes until cancelled."""

    pid: int
    samples: list[Sample] = field(default_factory=list)

    async def run(self, every_s: float) -> None:
        """One sample each `every_s` seconds."""
        began = time.monotonic()
        while True:
            self.samples.append(await asyncio.to_thread(take, self.pid, time.monotonic() - began))
            await asyncio.sleep(every_s)

    def of_environments(self, *, since_s: float) -> Growth | None:
        """How one environment changed on average, of those that were there all the time since the warm-up.

        Others come and go, and functions differ: an average of all would move with who is there.
        """
        later = [each for each in self.samples if each.at_s >= since_s]
        stayed = set(later[0].environments).intersection(*(each.environments for each in later)) if later else set()
        return self.of(
            lambda each: statistics.fmean(each.environments[pid] for pid in stayed) if stayed else None, since_s=since_s
        )

    def of(self, value: Callable[[Sample], float | None], *, since_s: float) -> Growth | None:
        """How a value changed after the warm-up; None without enough samples that have it."""
        pairs = [(each.at_s, found) for each in self.samples if each.at_s >= since_s and (found := value(each))]
        third = len(pairs) // 3
        if not third:
            return None
        times, values = zip(*pairs, strict=True)
        return Growth(
            first=statistics.median(values[:third]),
            last=statistics.median(values[-third:]),
            per_hour=_slope(times, values) * 3600,
        )


@dataclass(frozen=True)
class Growth:
    """Medians of the first and the last third, and the slope of the line through all."""

    first: float
    last: float
    per_hour: float

    @property
    def change(self) -> float:
        """Last minus first."""
        return self.last - self.first


def take(pid: int, at_s: float) -> Sample:
    """The processes as `ps` shows them, on Linux and macOS alike."""
    shown = subprocess.run(["ps", "-axwwo", "pid=,ppid=,rss=,args="], capture_output=True, text=True, check=True).stdout
    own, environments = 0, {}
    for line in shown.splitlines():
        number, parent, rss, arguments = line.split(maxsplit=3)
        if int(number) == pid:
            own = int(rss)
        elif int(parent) == pid and "bootstrap.py" in arguments:
            environments[int(number)] = int(rss) / 1024
    descriptors = Path(f"/proc/{pid}/fd")
    files = sum(1 for _ in descriptors.iterdir()) if descriptors.exists() else None
    return Sample(at_s, own / 1024, environments, files)


def _slope(times: Sequence[float], values: Sequence[float]) -> float:
    """Least squares, a second."""
    return statistics.linear_regression(times, values).slope if len(set(times)) > 1 else 0.0
