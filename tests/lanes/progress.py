"""A pytest plugin: tells the lanes how far it is, and ends with them.

`LANE_PROGRESS` names the descriptor of a socket. Each line written to it is `done total`; nothing is ever read from it
but its end: then whoever started this run has ended or given it up, and so it ends itself.
"""

import os
import signal
import threading
import time
from contextlib import suppress
from typing import Final
from zlib import crc32

import pytest

LANE_PROGRESS: Final = "LANE_PROGRESS"
PATIENCE_S: Final = 30.0
"""How long fixtures may take to clean up behind a run that was given up."""


class Progress:
    """Counts the tests that are over. Where `CI` is set, one that was skipped is a failure."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._total = self._done = 0
        self._skipped: list[str] = []

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """All tests are known."""
        self._total = len(session.items)
        self._tell()

    def pytest_runtest_logfinish(self) -> None:
        """One is over."""
        self._done += 1
        self._tell()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """A part of one is over."""
        if report.skipped and not hasattr(report, "wasxfail"):
            self._skipped.append(report.nodeid)

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """All are over."""
        if self._skipped and os.environ.get("CI"):
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Names what was skipped."""
        for name in self._skipped:
            terminalreporter.write_line(f"SKIPPED {name}")

    def _tell(self) -> None:
        with suppress(BrokenPipeError):  # nobody listens any more: the run is about to end
            os.write(self._descriptor, f"{self._done} {self._total}\n".encode())


def pytest_addoption(parser: pytest.Parser) -> None:
    """Which part of the files is run: `0/2` and `1/2` are all of them."""
    parser.addoption("--lane-part", default="0/1", metavar="PART/PARTS")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leaves out the files of other parts."""
    part, parts = map(int, config.getoption("--lane-part").split("/"))
    kept: list[pytest.Item] = []
    others: list[pytest.Item] = []
    for item in items:
        (kept if crc32(item.path.as_posix().encode()) % parts == part else others).append(item)
    if others:
        config.hook.pytest_deselected(items=others)
        items[:] = kept


def pytest_configure(config: pytest.Config) -> None:
    """Starts telling, and waiting for the end of the lanes."""
    descriptor = os.environ.pop(LANE_PROGRESS, None)
    if descriptor is None:
        return
    os.set_inheritable(int(descriptor), False)
    config.pluginmanager.register(Progress(int(descriptor)))
    # A shell without job control has what it starts in the background ignore this, with which pytest ends in order.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    threading.Thread(target=_end_with_the_lanes, args=(int(descriptor),), daemon=True).start()


def _end_with_the_lanes(descriptor: int) -> None:
    with suppress(ConnectionResetError):  # it ended with lines unread
        while os.read(descriptor, 1):
            pass
    os.kill(os.getpid(), signal.SIGINT)
    time.sleep(PATIENCE_S)
    os.kill(os.getpid(), signal.SIGKILL)
