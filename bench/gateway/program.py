"""A program that is measured: started in a session of its own, watched, and ended with all that it started."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

STOP_S = 10.0


class DidNotStart(RuntimeError):
    """The program ended, or was not there in time; the message is the end of what it said."""


@dataclass(frozen=True, slots=True)
class Footprint:
    """The resident memory of a process and of all its descendants. Pages that they share count in each."""

    megabytes: float
    processes: int


class Program:
    """A running program; its output goes to a file, so that no reader slows it down."""

    def __init__(self, command: Sequence[str], *, folder: Path, variables: Mapping[str, str], log: Path) -> None:
        self._log = log
        with log.open("wb") as output:
            self._process = subprocess.Popen(
                command,
                cwd=folder,
                env={**os.environ, **variables},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        """The id of the program's first process."""
        return self._process.pid

    def said(self) -> str:
        """The last lines of its output."""
        return "\n".join(self._log.read_text(encoding="utf-8", errors="replace").splitlines()[-15:])

    def wait_for_port(self, port: int, *, within_s: float) -> None:
        """Returns when something listens there. Raises `DidNotStart`."""
        ends = time.monotonic() + within_s
        while True:
            self.check()
            try:
                with socket.create_connection(("127.0.0.1", port), timeout=1):
                    return
            except OSError as error:
                if time.monotonic() > ends:
                    raise DidNotStart(f"nothing listened within {within_s:g} s: {self.said()}") from error
                time.sleep(0.02)

    def check(self) -> None:
        """Raises `DidNotStart` if the program has ended."""
        if self._process.poll() is not None:
            raise DidNotStart(f"ended with status {self._process.returncode}: {self.said()}")

    def footprint(self) -> Footprint:
        """What the whole tree holds now."""
        members = family(self.pid)
        return Footprint(sum(members.values()) / 1024, len(members))

    def stop(self) -> None:
        """As Ctrl-C does; what is left of the tree after a while is killed."""
        members = family(self.pid)
        self._process.terminate()
        try:
            self._process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(STOP_S)
        ends = time.monotonic() + STOP_S
        while (left := members.keys() & _processes().keys()) and time.monotonic() < ends:
            for pid in left:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            time.sleep(0.1)


def family(root: int) -> dict[int, int]:
    """The resident size in KB of a process and all its descendants, by process id."""
    table = _processes()
    members = {root}
    grown = True
    while grown:
        more = {pid for pid, (parent, _) in table.items() if parent in members} - members
        members |= more
        grown = bool(more)
    return {pid: table[pid][1] for pid in members if pid in table}


def free_ports(number: int) -> tuple[int, ...]:
    """Ports that nothing listens on at the moment."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(number)]
    ports = tuple(int(each.getsockname()[1]) for each in sockets)
    for each in sockets:
        each.close()
    return ports


def _processes() -> dict[int, tuple[int, int]]:
    listed = subprocess.run(
        ["ps", "-axo", "pid=,ppid=,rss="], capture_output=True, text=True, check=True, timeout=10
    ).stdout
    rows = (line.split() for line in listed.splitlines())
    return {int(pid): (int(parent), int(size)) for pid, parent, size in rows}
