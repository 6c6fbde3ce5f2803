"""The emulator as a program of its own, told of by its JSON lines."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from asyncio.subprocess import PIPE, STDOUT, Process
from collections import Counter
from pathlib import Path
from types import TracebackType
from typing import Self

from bench.machine import ROOT

_START_S = 60.0
_END_S = 30.0
_CALM_S = 1.5
_LONGEST_LINE = 16 * 1024 * 1024


class Program:
    """`async with Program(template)`: serving inside. Keeps counts of what its lines tell, and the troubles."""

    def __init__(self, template: Path) -> None:
        self.websocket = ""
        self.outcomes: Counter[tuple[str, str]] = Counter()
        self.cold_starts = 0
        self.troubles: Counter[str] = Counter()
        self.returned: int | None = None
        self._template = template
        self._process: Process | None = None
        self._reading: asyncio.Task[None] | None = None
        self._ready = asyncio.Event()

    async def __aenter__(self) -> Self:
        self._process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "emulator", "--port", "0", "--json-logs", "--template", str(self._template)),
            *("--exit-with", str(os.getpid())),
            cwd=ROOT, stdout=PIPE, stderr=STDOUT, limit=_LONGEST_LINE, start_new_session=True,
        )  # fmt: skip
        self._reading = asyncio.create_task(self._read(self._process))
        await asyncio.wait_for(self._ready.wait(), _START_S)
        if not self.websocket:
            await self._stop()
            raise RuntimeError(f"the emulator did not start: {dict(self.troubles)}")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stop()

    @property
    def pid(self) -> int:
        """Its process id."""
        assert self._process is not None
        return self._process.pid

    async def calm(self) -> None:
        """Wait until no invocation has ended for a while; a minute at most."""
        for _ in range(40):
            before = self.outcomes.total()
            await asyncio.sleep(_CALM_S)
            if self.outcomes.total() == before:
                return

    async def _stop(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        if process.returncode is None:
            process.terminate()
        try:
            await asyncio.wait_for(process.wait(), _END_S)
        except TimeoutError:
            process.kill()
            await process.wait()
        self.returned = process.returncode
        if self._reading is not None:
            await self._reading

    async def _read(self, process: Process) -> None:
        assert process.stdout is not None
        async for raw in process.stdout:
            try:
                self._take(json.loads(raw))
            except ValueError:
                self.troubles[raw.decode(errors="replace").strip()[:200]] += 1
        self._ready.set()

    def _take(self, line: dict[str, object]) -> None:
        kind, message = line["kind"], str(line["message"])
        if kind == "ready":
            websockets = line["websockets"]
            assert isinstance(websockets, list)
            self.websocket = websockets[0]["url"]
            self._ready.set()
        elif kind == "invocation":
            self.outcomes[str(line["function"]), str(line["outcome"])] += 1
            self.cold_starts += line["init_ms"] is not None
            if line["outcome"] != "ok":
                self.troubles[f"{line['function']}: {line['outcome']}"] += 1
        elif line["level"] in {"warning", "error"}:
            self.troubles[f"{line.get('function', 'emulator')}: {message.splitlines()[0][:160]}"] += 1
