"""`python -m tests.simulation --seed 123` tells one schedule; `--runs 100000` plays so many."""

import argparse
import os
import sys
import time
from concurrent.futures import ProcessPoolExecutor

from tests.simulation.schedule import Outcome, play

CHUNK = 50


def tell(seed: int) -> int:
    """Prints a schedule as it goes, and what it violates."""
    outcome = play(seed, traced=True)
    for line in outcome.lines:
        print(line)
    for violation in outcome.violations:
        print(f"violated at {violation}")
    return 1 if outcome.violations else 0


def chunk(first: int, count: int) -> tuple[int, list[Outcome]]:
    """Plays some schedules; gives their number of runs, and what was violated."""
    outcomes = [play(seed) for seed in range(first, first + count)]
    return sum(outcome.runs for outcome in outcomes), [outcome for outcome in outcomes if outcome.violations]


def many(first: int, count: int, jobs: int) -> int:
    """Plays many schedules on all cores."""
    started = time.monotonic()
    runs, bad, done = 0, [], 0
    with ProcessPoolExecutor(jobs) as pool:
        starts = range(first, first + count, CHUNK)
        for seeds, (more, violated) in zip(
            starts, pool.map(chunk, starts, [min(CHUNK, first + count - start) for start in starts]), strict=True
        ):
            runs += more
            bad += violated
            done = min(seeds + CHUNK, first + count) - first
            for outcome in violated[: max(0, 10 - len(bad) + len(violated))]:
                print(f"seed {outcome.seed}: {outcome.violations[0]}", flush=True)
    rate = done / (time.monotonic() - started)
    print(f"{done} schedules, {runs} runs, {rate:.0f} schedules a second on {jobs} processes; {len(bad)} violated")
    return 1 if bad else 0


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--seed", type=int, help="tell this schedule")
    parser.add_argument("--runs", type=int, default=10_000, help="play so many")
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    arguments = parser.parse_args()
    if arguments.seed is not None:
        return tell(arguments.seed)
    return many(arguments.first, arguments.runs, arguments.jobs)


if __name__ == "__main__":
    sys.exit(main())
