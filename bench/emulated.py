"""An application on the emulator, in a process of its own; what its functions did is read from what it prints."""

import asyncio
import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

from bench.machine import ROOT

ENGINE = "EngineFunction"
START_S = 90.0
SETTLE_S = 60.0
QUIET_S = 0.4
NO_WARM_UP = ("--parameter-overrides", "WarmUp=off")
"""Options that keep connecting from starting the engine: so the calls that are counted are a run's own."""
_COMPILED = shutil.ignore_patterns("__pycache__")
_LOCAL = ("--env", "JWT_ISSUER={url}", "JWT_AUDIENCE=dayfly", "JWT_JWKS_URL={url}/.well-known/jwks.json")
# No sweep: it would come in the middle of a measurement, once a minute.
_QUIET = ("--schedule-every", "86400")


class StartFailed(RuntimeError):
    """The emulator did not come up; the message is what it said."""


def copy_application(folder: Path) -> Path:
    """The application's functions, copied so that touching one here recycles nobody else's; returns its template."""
    shutil.copytree(ROOT / "functions", folder / "functions", ignore=_COMPILED)
    (folder / "layers").symlink_to(ROOT / "layers")
    return Path(shutil.copy(ROOT / "template.yaml", folder / "template.yaml"))


def copy_application_with_agents(folder: Path) -> Path:
    """Likewise, with the agents of `bench/agents` besides its own."""
    template = copy_application(folder)
    shutil.copytree(ROOT / "bench/agents", folder / "functions/engine/agents", dirs_exist_ok=True, ignore=_COMPILED)
    return template


def copy_floor(folder: Path) -> Path:
    """The floor application, likewise."""
    shutil.copytree(ROOT / "bench/floor", folder, dirs_exist_ok=True, ignore=_COMPILED)
    return folder / "template.yaml"


class Emulated:
    """`async with Emulated(template) as application`: running inside, gone afterwards. `options` are the emulator's."""

    def __init__(self, template: Path, *options: str) -> None:
        self.url = ""
        self.lines: list[str] = []
        self._template = template
        self._options = options
        self._started = threading.Event()
        self._process: subprocess.Popen[str] | None = None
        self._reader: threading.Thread | None = None

    async def __aenter__(self) -> Self:
        self._process = self._start()
        self._reader = threading.Thread(target=self._read, args=(self._process,), daemon=True)
        self._reader.start()
        await asyncio.to_thread(self._started.wait, START_S)
        if not self.url:
            await self._stop()
            raise StartFailed("the emulator did not start:\n" + "".join(self.lines[-20:]))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stop()

    def touch(self, *files: str) -> None:
        """Saves files of the application anew, so that the next invocation of their functions meets a cold start."""
        for file in files:
            (self._template.parent / file).touch()

    def begun(self, function: str) -> int:
        """How often an environment of this function has been started for an invocation that is over by now."""
        return sum("Init Duration" in line for line in self.of(function) if line.startswith("REPORT"))

    def of(self, function: str, *, since: int = 0) -> list[str]:
        """What this function and the platform around it have printed, from line `since` on."""
        mark = f"[{function}]"
        return [line.partition(mark)[2].strip() for line in self.lines[since:] if mark in line]

    async def until(self, there: Callable[[], bool]) -> None:
        """Returns when what was printed makes this true. Raises `TimeoutError`."""
        async with asyncio.timeout(SETTLE_S):
            while not there():  # noqa: ASYNC110  the lines come from a thread, a few times a second
                await asyncio.sleep(0.005)

    async def settled(self, *, quiet_s: float = QUIET_S) -> None:
        """Returns when every invocation is over and nothing was printed for so long. Raises `TimeoutError`."""
        async with asyncio.timeout(SETTLE_S):
            while True:
                seen = len(self.lines)
                await asyncio.sleep(quiet_s)
                lines = list(self.lines)
                open_now = sum("] START RequestId" in x for x in lines) - sum("] REPORT RequestId" in x for x in lines)
                if len(lines) == seen and open_now <= 0:
                    return

    def _start(self) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "emulator", "--port", "0", "--template", str(self._template)]
        return subprocess.Popen(
            [*command, "--exit-with", str(os.getpid()), *_LOCAL, *_QUIET, "--log-format", "lambda", *self._options],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    async def _stop(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.terminate()  # as Ctrl-C does: the emulator ends its own processes
        try:
            await asyncio.to_thread(process.wait, 20)
        except subprocess.TimeoutExpired:
            process.kill()
            await asyncio.to_thread(process.wait, 5)
        if self._reader is not None:
            await asyncio.to_thread(self._reader.join, 5)

    def _read(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None  # it was asked for
        with process.stdout:
            for line in process.stdout:
                self.lines.append(line)
                page = re.match(r"\s+page\s+(http://\S+?)/?\s*$", line)
                if page:
                    self.url = page[1]
                    self._started.set()
        self._started.set()
