"""bench.gateway.program: a measured program and all that it starts."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from bench.gateway.program import DidNotStart, Program, family, free_ports

_PARENT = """
import subprocess, sys, time
subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"], start_new_session=True)
print("there", flush=True)
time.sleep(60)
"""


def started(folder: Path, script: str) -> Program:
    return Program([sys.executable, "-c", script], folder=folder, variables={}, log=folder / "log")


def test_the_footprint_counts_descendants_and_stop_ends_them(tmp_path: Path) -> None:
    """A child in a session of its own is measured, and is gone when the program is stopped."""
    program = started(tmp_path, _PARENT)
    try:
        ends = time.monotonic() + 20
        while "there" not in program.said() and time.monotonic() < ends:
            time.sleep(0.02)
        footprint = program.footprint()
        pids = set(family(program.pid))
    finally:
        program.stop()
    assert footprint.processes == 2
    assert footprint.megabytes > 5
    left = subprocess.run(["ps", "-axo", "pid="], capture_output=True, text=True, check=True).stdout.split()
    assert not pids & {int(pid) for pid in left} - {os.getpid()}


def test_a_program_that_ends_says_why(tmp_path: Path) -> None:
    """Waiting for a port of a program that has ended fails with what it said, at once."""
    program = started(tmp_path, "raise SystemExit('no such option')")
    try:
        with pytest.raises(DidNotStart, match="no such option"):
            program.wait_for_port(free_ports(1)[0], within_s=20)
    finally:
        program.stop()
