"""The process group of one environment: started, frozen, thawed, killed."""

from __future__ import annotations

import asyncio
import os
import re
import signal
from collections.abc import Mapping
from pathlib import Path

from emulator.functions.pipe import LogPipe
from emulator.guard import Guard

_BOOTSTRAP = Path(__file__).with_name("bootstrap.py")  # run as a file, never imported here


class EnvironmentProcess:
    """A child in a session of its own, so that signals reach whatever it starts in turn."""

    def __init__(self, process: asyncio.subprocess.Process, pipe: LogPipe, guard: Guard) -> None:
        self._process = process
        self._guard = guard
        self.pipe = pipe

    @classmethod
    async def start(
        cls, *, python: str, directory: Path, variables: Mapping[str, str], pipe: LogPipe, guard: Guard
    ) -> EnvironmentProcess:
        """Start the runtime client; its output goes to `pipe`."""
        try:
            process = await asyncio.create_subprocess_exec(
                python, "-P", str(_BOOTSTRAP),
                cwd=directory,
                env=dict(variables),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=pipe.write_end,
                stderr=pipe.write_end,
                start_new_session=True,
            )  # fmt: skip
        finally:
            pipe.handed_over()
        guard.watch(process.pid)
        return cls(process, pipe, guard)

    @property
    def pid(self) -> int:
        """The process id, which is the group's too."""
        return self._process.pid

    async def wait(self) -> int:
        """The exit status once it ended, negative for a signal; descendants are killed then."""
        status = await self._process.wait()
        self._signal(signal.SIGKILL)
        self._guard.forget(self.pid)
        self.pipe.close()
        return status

    def freeze(self) -> None:
        """Stop every thread of the group."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it run on."""
        self._signal(signal.SIGCONT)

    def kill(self) -> None:
        """End it at once; works on a frozen one too."""
        self._signal(signal.SIGKILL)

    def peak_memory_mb(self) -> int | None:
        """The greatest resident size so far, where the system tells (Linux)."""
        try:
            status = Path(f"/proc/{self.pid}/status").read_text(encoding="ascii")
        except (FileNotFoundError, ProcessLookupError):
            return None
        found = re.search(r"^VmHWM:\s+(\d+) kB", status, re.MULTILINE)
        return None if found is None else -(-int(found[1]) // 1024)

    def _signal(self, number: signal.Signals) -> None:
        try:
            os.killpg(self.pid, number)
        except (ProcessLookupError, PermissionError):
            return  # it has ended; macOS says EPERM for a group of zombies
