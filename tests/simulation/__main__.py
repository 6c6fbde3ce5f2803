"""`python -m tests.simulation --seed 123` tells one schedule; `--runs 100000` plays so many."""

import argparse
import hashlib
import os
import sys

from tests.simulation.batch import play_many
from tests.simulation.schedule import Outcome, play


def tell(seed: int) -> int:
    """Prints a schedule step by step, and what it violates."""
    outcome = play(seed, traced=True)
    for line in outcome.lines:
        print(line)
    for violation in outcome.violations:
        print(f"violated at {violation}")
    return 1 if outcome.violations else 0


def digest(first: int, count: int) -> int:
    """Prints a name of each schedule's trace: the same in every process."""
    for seed in range(first, first + count):
        lines = "\n".join(play(seed, traced=True).lines)
        print(seed, hashlib.sha256(lines.encode()).hexdigest())
    return 0


def many(first: int, count: int, jobs: int) -> int:
    """Plays many schedules, and prints what they violate."""
    batch = play_many(first, count, jobs=jobs, tell=_complain)
    print(batch.tally())
    print(f"{batch}, on {jobs} processes")
    return 1 if batch.violated else 0


def _complain(outcome: Outcome) -> None:
    print(f"seed {outcome.seed}: {outcome.violations[0]}", flush=True)


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--seed", type=int, help="tell this schedule")
    parser.add_argument("--digest", action="store_true", help="only name the traces of so many schedules")
    parser.add_argument("--runs", type=int, default=10_000, help="play so many")
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    arguments = parser.parse_args()
    if arguments.seed is not None:
        return tell(arguments.seed)
    if arguments.digest:
        return digest(arguments.first, arguments.runs)
    return many(arguments.first, arguments.runs, arguments.jobs)


if __name__ == "__main__":
    sys.exit(main())
