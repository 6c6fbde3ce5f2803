"""Many schedules, on all cores."""

import multiprocessing
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from typing import Final

from tests.simulation.schedule import Outcome, play

CHUNK: Final = 50


@dataclass
class Batch:
    """What came of some schedules. `reached` counts the schedules in which each thing happened."""

    done: int = 0
    runs: int = 0
    seconds: float = 0.0
    violated: list[Outcome] = field(default_factory=list)
    reached: Counter[str] = field(default_factory=Counter)

    def add(self, other: "Batch") -> None:
        """Takes another batch in."""
        self.done += other.done
        self.runs += other.runs
        self.violated += other.violated
        self.reached += other.reached

    def __str__(self) -> str:
        rate = self.done / self.seconds if self.seconds else 0.0
        return f"{self.done} schedules, {self.runs} runs, {rate:.0f} schedules a second; {len(self.violated)} violated"

    def tally(self) -> str:
        """How many schedules came to each thing, a line each, the rarest first."""
        return "\n".join(f"{count:7} {what}" for what, count in sorted(self.reached.items(), key=lambda one: one[::-1]))


def play_many(first: int, count: int, *, jobs: int, tell: Callable[[Outcome], None] = lambda _: None) -> Batch:
    """Plays the schedules of so many seeds from `first` on; `tell` is called for each that violates something."""
    started = time.monotonic()
    whole = Batch()
    starts = range(first, first + count, CHUNK)
    counts = [min(CHUNK, first + count - start) for start in starts]
    # Not by forking: a process that has threads may leave a lock behind in its child.
    with ProcessPoolExecutor(jobs, mp_context=multiprocessing.get_context("spawn")) as pool:
        for part in pool.map(_play_some, starts, counts):
            whole.add(part)
            for outcome in part.violated:
                tell(outcome)
    whole.seconds = time.monotonic() - started
    return whole


def _play_some(first: int, count: int) -> Batch:
    part = Batch(done=count)
    for seed in range(first, first + count):
        outcome = play(seed)
        part.runs += outcome.runs
        part.reached.update(outcome.reached)
        if outcome.violations:
            part.violated.append(outcome)
    return part
