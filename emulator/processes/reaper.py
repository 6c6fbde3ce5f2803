"""A small process that outlives the emulator by a moment and ends what it has left behind.

It is told of every child's process group and of every temporary folder over a pipe. When the pipe closes, because the
emulator stopped or was killed in any way, it kills those groups and removes those folders: a frozen process cannot
watch its parent itself, and PR_SET_PDEATHSIG exists on Linux only.

It can watch a further process, the one that had the emulator started: when that ends, so does the emulator.
"""

import os
import secrets
import subprocess
import sys
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Self

from emulator.processes import reaper_program


class Reaper:
    """The owner's end of it. Not safe to share between processes.

    Args:
        exit_with: The id of a process. When that has ended, in whatever way, the owner of this object gets SIGTERM, and
            8 s later SIGKILL if it is still there.
    """

    def __init__(self, *, exit_with: int | None = None) -> None:
        self._exit_with = exit_with
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start the process."""
        if self._process is None:
            watched = [] if self._exit_with is None else [str(self._exit_with)]
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-S", reaper_program.__file__, str(os.getpid()), *watched],
                stdin=subprocess.PIPE,
                start_new_session=True,
                bufsize=0,
            )

    @property
    def pid(self) -> int | None:
        """The reaper's own process id while it runs."""
        return None if self._process is None else self._process.pid

    def watch(self, pid: int) -> None:
        """Kill the process group `pid` if the emulator ends without `forget`."""
        self._tell(f"+{pid}")

    def forget(self, pid: int) -> None:
        """The group has ended: its number may be another's soon."""
        self._tell(f"-{pid}")

    def temporary_folder(self, prefix: str) -> Path:
        """A new folder, its owner's alone, which is removed at the latest when the emulator has ended."""
        folder = Path(tempfile.gettempdir()) / f"{prefix}{secrets.token_hex(8)}"
        self._tell(f"/{folder}")  # before it is there: killed in between, the emulator would leave it
        folder.mkdir(mode=0o700)
        return folder

    def stop(self) -> None:
        """End the reaper; whatever it still watches ends with it."""
        if self._process is None:
            return
        process, self._process = self._process, None
        assert process.stdin is not None
        process.stdin.close()
        process.wait(timeout=10)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _tell(self, line: str) -> None:
        if self._process is None:
            raise RuntimeError("the reaper is not running")
        assert self._process.stdin is not None
        self._process.stdin.write(line.encode() + b"\n")
