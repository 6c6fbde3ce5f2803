"""`python -m bench [--only NAME …]`: measures, prints the tables, writes `bench/results/<timestamp>.json`."""

import argparse
import asyncio
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from bench.machine import ROOT, this_machine
from bench.measures.attach import attaching
from bench.measures.creation import creation
from bench.measures.devices import devices
from bench.measures.growth import growing
from bench.measures.init import init
from bench.measures.log import logged
from bench.measures.path import path
from bench.measures.recording import recording
from bench.measures.recovery import recovery
from bench.measures.throughput import throughput
from bench.report import Report, Section

Measure = Callable[[], Awaitable[list[Section]]]


async def _init() -> list[Section]:
    return init()  # nothing else runs meanwhile: its processes are to have the machine for themselves


MEASURES: dict[str, Measure] = {
    "creation": creation,
    "throughput": throughput,
    "init": _init,
    "path": path,
    "recording": recording,
    "devices": devices,
    "attach": attaching,
    "log": logged,
    "recovery": recovery,
    "growth": growing,
}


def main(arguments: Sequence[str]) -> int:
    """Runs the measures that are asked for, all if none is named. Returns 1 where a count is not as it must be."""
    parser = argparse.ArgumentParser(prog="python -m bench", description="Measures Dayfly on this machine.")
    parser.add_argument("--only", nargs="+", choices=MEASURES, default=list(MEASURES), help="these measures alone")
    parser.add_argument("--results", type=Path, default=ROOT / "bench/results", help="folder of the JSON (%(default)s)")
    given = parser.parse_args(arguments)
    report = Report(datetime.now(UTC), this_machine())
    machine = report.machine
    print(f"Python {machine.python} on {machine.system}, {machine.cores} cores, load {machine.load}, {machine.commit}")
    for name in given.only:
        began = time.perf_counter()
        sections = asyncio.run(_awaited(MEASURES[name]))
        report.seconds[name] = time.perf_counter() - began
        report.add(sections)
        for section in sections:
            print(section.text(), flush=True)
    for finding in report.findings:
        print(f"\n! {finding}")
    print(f"\nwritten to {report.write(given.results)}")
    return 1 if report.findings else 0


async def _awaited(measure: Measure) -> list[Section]:
    return await measure()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
