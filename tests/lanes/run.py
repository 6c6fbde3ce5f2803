"""Lanes under way."""

import os
import socket
import subprocess
import time
from collections.abc import Sequence
from typing import Final

from tests.lanes.lane import REPORTS, Lane
from tests.lanes.progress import LANE_PROGRESS

NICER_BY: Final = 10
"""How far a patient lane steps back from the processors."""
STOP_S: Final = 40.0
TELL_S: Final = 10.0
LOOK_S: Final = 0.2
STOPPED: Final = 130


class Run:
    """The process of a lane, from its start on. `code` is its exit code, once it is over."""

    def __init__(self, lane: Lane) -> None:
        self.lane = lane
        self.code: int | None = None
        self.processor_s = self.took_s = 0.0
        """What it and all that it has waited for have used; how long it took."""
        self._began = time.monotonic()
        self._told = ""
        self._said = REPORTS / f"{lane.name}.log"
        self._line, theirs = socket.socketpair()
        self._line.setblocking(False)
        nicer = ("nice", "-n", str(NICER_BY)) if lane.patient else ()
        with theirs, self._said.open("wb") as output:
            self._process = subprocess.Popen(
                (*nicer, *lane.arguments()),
                cwd=lane.folder,
                env={**os.environ, LANE_PROGRESS: str(theirs.fileno()), **({"NO_COLOR": "1"} if lane.command else {})},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                pass_fds=(theirs.fileno(),),
                start_new_session=True,  # Ctrl-C is for the lanes, which tell each of their own
            )

    def is_over(self) -> bool:
        """Whether it has ended."""
        if self.code is None:
            pid, status, used = os.wait4(self._process.pid, os.WNOHANG)
            if pid:
                self._end(os.waitstatus_to_exitcode(status), used.ru_utime + used.ru_stime)
        return self.code is not None

    def progress(self) -> str:
        """How far it is."""
        try:
            if lines := self._line.recv(1 << 16).decode().splitlines():
                self._told = " of ".join(lines[-1].split())
        except BlockingIOError:
            pass  # nothing new
        return f"{self.lane.name} {self._told or 'begun'}"

    def output(self) -> str:
        """All that it has said."""
        return self._said.read_text(encoding="utf-8", errors="replace")

    def summary(self) -> str:
        """How it ended, in a line."""
        outcome = {0: "passed", None: "goes on"}.get(self.code, f"failed ({self.code})")
        last = next((line for line in reversed(self.output().splitlines()) if line.strip(" =")), "")
        return f"{self.lane.name:<10} {outcome} in {self.took_s:.0f} s, {self.processor_s:.0f} s of processor: {last}"

    def give_up(self) -> None:
        """Hangs up, by which a run of tests ends itself, and waits; another command is told to end."""
        if self.is_over():
            return
        self._line.close()
        if self.lane.command:
            self._process.terminate()
        until = time.monotonic() + STOP_S
        while not self.is_over():
            if time.monotonic() > until:
                self._process.kill()
            time.sleep(0.1)

    def _end(self, code: int, processor_s: float) -> None:
        self._process.returncode = self.code = code  # it was waited for behind its back
        self.processor_s, self.took_s = processor_s, time.monotonic() - self._began
        self._line.close()


def play(lanes: Sequence[Lane]) -> int:
    """Runs the lanes at once and prints what comes of them; 0 where all have passed, 1 where one has not.

    A keyboard interrupt gives them up, and is 130.
    """
    REPORTS.mkdir(parents=True, exist_ok=True)
    began = time.monotonic()
    runs = [Run(lane) for lane in lanes]
    try:
        _watch(runs, began)
    except KeyboardInterrupt:
        for run in runs:
            run.give_up()
        return STOPPED
    failed = [run.lane.name for run in runs if run.code != 0]
    processor_s = sum(run.processor_s for run in runs)
    outcome = f"failed: {', '.join(failed)}" if failed else "all passed"
    print(f"{outcome} in {time.monotonic() - began:.0f} s, {processor_s:.0f} s of processor", flush=True)
    return 1 if failed else 0


def _watch(runs: Sequence[Run], began: float) -> None:
    """Tells how far they are until all are over; what a failed one has said is shown as soon as it is."""
    told, going = began, [*runs]
    while going:
        time.sleep(LOOK_S)
        for run in [run for run in going if run.is_over()]:
            going.remove(run)
            shown = "" if run.code == 0 else f"\n── {run.lane.name} ──\n{run.output()}\n"
            print(f"{shown}{run.summary()}", flush=True)
        if going and time.monotonic() - told >= TELL_S:
            told = time.monotonic()
            print(f"{told - began:4.0f} s  " + "   ".join(run.progress() for run in going), flush=True)
