"""The moto process as its parent sees it."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

from emulator.processes import Reaper

_ROOT = Path(__file__).resolve().parents[2]


class MotoFailed(Exception):
    """The moto process did not come up."""


class MotoProcess:
    """Ends with its parent: by the pipe to it, by the reaper, and on Linux by the kernel."""

    def __init__(self, process: asyncio.subprocess.Process, port: int, reaper: Reaper) -> None:
        self._process = process
        self._reaper = reaper
        self.url = f"http://127.0.0.1:{port}"

    @classmethod
    async def start(cls, *, reaper: Reaper, account_id: str, bound_s: float) -> MotoProcess:
        """Start moto on a free loopback port; raises `MotoFailed`."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "MOTO_"))}
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-P", "-m", "emulator.moto",
            env={**kept, "PYTHONPATH": str(_ROOT), "MOTO_ACCOUNT_ID": account_id},
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            start_new_session=True,
        )  # fmt: skip
        reaper.watch(process.pid)
        assert process.stdout is not None
        try:
            line = await asyncio.wait_for(process.stdout.readline(), bound_s)
        except TimeoutError:
            line = b""
        if not line.strip().isdigit():
            process.kill() if process.returncode is None else None
            await process.wait()
            reaper.forget(process.pid)
            raise MotoFailed("moto did not start; is everything of requirements/run.txt installed?")
        return cls(process, int(line), reaper)

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    async def stop(self) -> None:
        """End it and wait."""
        if self._process.returncode is None:
            self._process.kill()
        await self._process.wait()
        self._reaper.forget(self._process.pid)
        assert self._process.stdin is not None
        self._process.stdin.close()
