"""`python -m bench.soak [--duration 600] [--connections 1000]`: exit code 1 if anything was lost or has grown."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Sequence

from bench.machine import this_machine
from bench.soak.plan import Plan
from bench.soak.run import soak


def main(arguments: Sequence[str]) -> int:
    """Run it and print what was found."""
    default = Plan()
    parser = argparse.ArgumentParser(prog="python -m bench.soak", description=__doc__)
    parser.add_argument("--duration", type=float, default=default.duration_s, metavar="SECONDS", help="%(default)s")
    parser.add_argument("--connections", type=int, default=default.connections, help="%(default)s")
    parser.add_argument("--rate", type=float, default=default.rate, help="messages a second, %(default)s")
    given = parser.parse_args(arguments)
    plan = Plan(duration_s=given.duration, connections=given.connections, rate=given.rate)
    machine = this_machine()
    print(f"Python {machine.python} on {machine.system}, {machine.cores} cores, load {machine.load}, {machine.commit}")
    verdict = asyncio.run(soak(plan))
    for section in verdict.sections():
        print(section.text())
    violations = verdict.violations()
    print("\n" + ("\n".join(f"  violated: {each}" for each in violations) or "  nothing lost, nothing grown"))
    return 1 if violations else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
