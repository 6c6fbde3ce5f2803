"""The process group of one environment: started, frozen, thawed, killed."""

import asyncio
import os
import re
import signal
from collections.abc import Mapping
from pathlib import Path

from emulator.functions.log_pipe import LogPipe
from emulator.processes import Reaper

_PEAK = re.compile(rb"^VmHWM:\s+(\d+) kB", re.MULTILINE)
_STATUS_BYTES = 8192
_BOOTSTRAP = Path(__file__).with_name("bootstrap.py")  # run as a file, never imported here


class EnvironmentProcess:
    """A child in a session of its own, so that signals reach whatever it starts in turn."""

    def __init__(self, process: asyncio.subprocess.Process, pipe: LogPipe, reaper: Reaper) -> None:
        self._process = process
        self._reaper = reaper
        self._status: int | None = None
        self._ended = False
        self._frozen = False
        self.pipe = pipe

    @classmethod
    async def start(
        cls,
        *,
        python: str,
        directory: Path,
        variables: Mapping[str, str],
        pipe: LogPipe,
        reaper: Reaper,
        alone: bool = False,
    ) -> "EnvironmentProcess":
        """Start the runtime client; its output goes to `pipe`. `alone`: without what the emulator can import."""
        try:
            process = await asyncio.create_subprocess_exec(
                python, "-P", *(["-S"] if alone else []), str(_BOOTSTRAP),
                cwd=directory,
                env=dict(variables),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=pipe.write_end,
                stderr=pipe.write_end,
                start_new_session=True,
            )  # fmt: skip
        finally:
            pipe.handed_over()
        reaper.watch(process.pid)
        return cls(process, pipe, reaper)

    @property
    def pid(self) -> int:
        """The process id, which is the group's too."""
        return self._process.pid

    async def wait(self) -> int:
        """The exit status once it ended, negative for a signal; descendants are killed then."""
        status = await self._process.wait()
        self._signal(signal.SIGKILL)
        self._reaper.forget(self.pid)
        self.pipe.close()
        if self._status is not None:
            os.close(self._status)
        self._ended = True
        return status

    def freeze(self) -> None:
        """Stop every thread of the group."""
        if not self._frozen:
            self._frozen = True
            self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it run on."""
        if self._frozen:
            self._frozen = False
            self._signal(signal.SIGCONT)

    def kill(self) -> None:
        """End it at once; works on a frozen one too."""
        self._signal(signal.SIGKILL)

    def peak_memory_mb(self) -> int | None:
        """The greatest resident size so far, where the system tells (Linux)."""
        if self._ended:
            return None
        try:
            # Asked twice for every invocation, so the file stays open; it is still this process's when its id is not.
            if self._status is None:
                self._status = os.open(f"/proc/{self.pid}/status", os.O_RDONLY)
            status = os.pread(self._status, _STATUS_BYTES, 0)
        except (FileNotFoundError, ProcessLookupError):
            return None
        found = _PEAK.search(status)
        return None if found is None else -(-int(found[1]) // 1024)

    def _signal(self, number: signal.Signals) -> None:
        try:
            os.killpg(self.pid, number)
        except (ProcessLookupError, PermissionError):
            return  # it has ended; macOS says EPERM for a group of zombies
