"""`python -m emulator` as a developer runs it: another process, told apart by nothing but its output."""

import json
import re
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
START_S = 90
LOCAL = ("--env", "JWT_ISSUER={url}", "JWT_AUDIENCE=dayfly", "JWT_JWKS_URL={url}/.well-known/jwks.json")


def project(folder: Path, *, engine_timeout_s: int | None = None) -> Path:
    """A copy of the application whose engine has the agents of these tests besides its own; returns its template."""
    shutil.copytree(ROOT / "functions", folder / "functions", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(Path(__file__).parent / "agents", folder / "functions/engine/agents", dirs_exist_ok=True)
    (folder / "layers").symlink_to(ROOT / "layers")
    text = (ROOT / "template.yaml").read_text()
    if engine_timeout_s is not None:
        text, changed = re.subn(r"Timeout: 900\b", f"Timeout: {engine_timeout_s}", text)
        assert changed == 1, "the engine's time-out is not where it was"
    template = folder / "template.yaml"
    template.write_text(text)
    return template


class EmulatorProcess:
    """A running emulator, its address, and every line that it has printed."""

    def __init__(self, template: Path, *options: str) -> None:
        command = [sys.executable, "-m", "emulator", "--port", "0", "--template", str(template), *LOCAL]
        command += ["--log-format", "lambda", *options]
        self.lines: list[str] = []
        self.url = ""
        self.process = subprocess.Popen(
            command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True
        )
        self._started = threading.Event()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self._started.wait(START_S)
        if not self.url:
            self.stop()
            pytest.fail("the emulator did not start:\n" + "".join(self.lines))

    def stop(self) -> None:
        """Ends it as Ctrl-C does."""
        self.process.terminate()
        try:
            self.process.wait(timeout=20)
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
        until = time.monotonic() + wait_s
        while not any(part in line for line in list(self.lines)):
            assert time.monotonic() < until, f"no line with {part!r}"
            time.sleep(0.1)

    def json_lines(self, function: str) -> Iterator[dict[str, Any]]:
        """The structured lines that a function has printed so far: logs and metrics."""
        for line in list(self.lines):
            _, found, rest = line.partition(f"[{function}]")
            if found and rest.strip().startswith("{"):
                yield json.loads(rest)

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(line)
            page = re.match(r"\s+page\s+(http://\S+?)/?\s*$", line)
            if page:
                self.url = page.group(1)
                self._started.set()
        self._started.set()


@contextmanager
def running(template: Path, *options: str) -> Iterator[EmulatorProcess]:
    """An emulator for a block."""
    emulator = EmulatorProcess(template, *options)
    try:
        yield emulator
    finally:
        emulator.stop()
