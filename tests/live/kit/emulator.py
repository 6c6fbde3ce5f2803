"""`python -m emulator` as a developer runs it: another process, told apart by nothing but its output."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import pytest

from tests.live.kit.client import stage

ROOT: Final = Path(__file__).parents[3]
AGENTS: Final = Path(__file__).parents[1] / "agents"
MODEL_AGENTS: Final = Path(__file__).parents[1] / "model_agents"
"""Agents whose models are servers of the test: each names its own, or has that of the deployment."""
START_S: Final = 90.0
STOP_S: Final = 20.0
LOCAL: Final = ("--env", "JWT_ISSUER={url}", "JWT_AUDIENCE=dayfly", "JWT_JWKS_URL={url}/.well-known/jwks.json")
"""By these alone the authorizer trusts the emulator's development issuer; `make run` gives the same."""
SHARED: Final = ("--parameter-overrides", "WarmUp=off", "Isolation=none")
"""For tests whose subject is neither: users share engines, and none starts before somebody asks."""
_READY: Final = re.compile(r"\s+Ready in [\d.]+ s")
_CONTROL: Final = re.compile(r"\s+faults\s+(http://\S+)/_emulator/faults\s*$")
_INVOCATION: Final = re.compile(r"\[(\w+)\] +(START|REPORT) RequestId: (\S+)")
_WEBSOCKET: Final = re.compile(r"\s+websocket\s+(ws://\S+)\s*$")


def command(*options: str) -> list[str]:
    """The command line of an emulator on a free port, which ends with this process, however that ends."""
    return [sys.executable, "-m", "emulator", "--port", "0", "--exit-with", str(os.getpid()), *options]


def project(folder: Path, *, agents: Path = AGENTS, engine_timeout_s: int | None = None) -> Path:
    """A copy of the application whose engine has the agents of these tests besides its own; returns its template."""
    shutil.copytree(ROOT / "functions", folder / "functions", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(agents, folder / "functions/engine/agents", dirs_exist_ok=True)
    (folder / "layers").symlink_to(ROOT / "layers")
    text = (ROOT / "template.yaml").read_text()
    if engine_timeout_s is not None:
        text, changed = re.subn(r"Timeout: 900\b", f"Timeout: {engine_timeout_s}", text)
        assert changed == 1, "the engine's time-out is not where it was"
    template = folder / "template.yaml"
    template.write_text(text)
    return template


class EmulatorProcess:
    """A running emulator, its addresses, and every line that it has printed.

    Args:
        template: of the application; None for the project's own.
        options: further options of the command line.
        environment: its variables; None for this process's.
    """

    def __init__(self, template: Path | None, *options: str, environment: dict[str, str] | None = None) -> None:
        given = () if template is None else ("--template", str(template))
        self.lines: list[str] = []
        self.process = subprocess.Popen(
            command(*given, *options),
            cwd=ROOT,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self._started: defaultdict[str, list[str]] = defaultdict(list)
        self._reported: Counter[str] = Counter()
        self._ready = False
        self._news = threading.Condition()
        self._ended = False
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        with self._news:
            self._news.wait_for(lambda: self._ready or self._ended, START_S)
        if not self._ready:
            self.stop()
            pytest.fail("the emulator did not start:\n" + "".join(self.lines))
        self.url = self._printed(_CONTROL)[0]
        self.websockets = self._printed(_WEBSOCKET)
        """The addresses of all stages, in the template's order."""

    def stage(self, name: str, /, **query: str) -> str:
        """The WebSocket's address of a stage of the first API."""
        return stage(self.url, name, **query)

    def stop(self) -> None:
        """Ends it as Ctrl-C does."""
        self.end(signal.SIGTERM)

    def end(self, number: signal.Signals) -> int:
        """Sends it a signal, if it still runs, and waits for its end; returns its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        try:
            return self.process.wait(timeout=STOP_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(timeout=5)
            raise
        finally:
            self._reader.join(timeout=5)
            if self.process.stdout is not None:
                self.process.stdout.close()

    def wait_for_line(self, part: str, *, wait_s: float = 60) -> None:
        """Returns when a line with this part has been printed."""
        self.wait_until(lambda: any(part in line for line in self.lines), repr(part), wait_s=wait_s)

    def wait_until(self, holds: Callable[[], bool], what: str, *, wait_s: float = 60) -> None:
        """Returns when it is so; looked at again at each line that is printed."""
        with self._news:
            assert self._news.wait_for(holds, wait_s), f"not printed: {what}"

    def wait_until_idle(self, *functions: str, wait_s: float = 60) -> None:
        """Returns when every invocation of these functions that has started is over."""
        self.wait_until(
            lambda: all(len(self._started[name]) <= self._reported[name] for name in functions),
            f"the end of {functions}",
            wait_s=wait_s,
        )

    def json_lines(self, function: str) -> Iterator[dict[str, Any]]:
        """The structured lines that a function has printed so far: logs and metrics."""
        for line in list(self.lines):
            _, found, rest = line.partition(f"[{function}]")
            if found and rest.strip().startswith("{"):
                yield json.loads(rest)

    def invocations(self, function: str) -> list[str]:
        """The request ids of a function's invocations so far; one that is repeated is there again."""
        return [*self._started[function]]

    def _printed(self, pattern: re.Pattern[str]) -> list[str]:
        return [found.group(1) for line in self.lines if (found := pattern.match(line))]

    def _note(self, line: str) -> None:
        if found := _INVOCATION.search(line):
            function, what, request = found.groups()
            if what == "START":
                self._started[function].append(request)
            else:
                self._reported[function] += 1

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            with self._news:
                self.lines.append(line)
                self._note(line)
                self._ready = self._ready or _READY.match(line) is not None
                self._news.notify_all()
        with self._news:
            self._ended = True
            self._news.notify_all()


@contextmanager
def running(
    template: Path | None, *options: str, environment: dict[str, str] | None = None
) -> Iterator[EmulatorProcess]:
    """An emulator of an application for a block, with its log as Lambda writes it."""
    emulator = EmulatorProcess(template, "--log-format", "lambda", *options, environment=environment)
    try:
        yield emulator
    finally:
        emulator.stop()


@contextmanager
def chatting(template: Path | None, *options: str) -> Iterator[EmulatorProcess]:
    """An emulator of the chat for a block; its issuer is trusted."""
    with running(template, *LOCAL, *options) as emulator:
        yield emulator


def refused(*options: str) -> tuple[int, list[str]]:
    """Starts an emulator that can't, and waits for its end: exit code, and all lines."""
    ended = subprocess.run(
        command(*options),
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=60,
        check=False,
    )
    return ended.returncode, ended.stdout.splitlines()
