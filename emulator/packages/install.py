"""Installing a `requirements.txt` into a folder, with pip or, where that is not there, with uv."""

from __future__ import annotations

import importlib.util
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

from emulator.guard import Guard


class InstallFailed(Exception):
    """The packages can't be had; the message is one line for the developer."""


def install(requirements: Path, folder: Path) -> None:
    """Install into `folder` for the emulator's own Python. Raises `InstallFailed`."""
    command = [*_installer(), "--target", str(folder), "--requirement", str(requirements.resolve())]
    # In a session of its own, so that whatever it starts ends with it, even if the emulator is killed meanwhile.
    with Guard() as guard:
        process = subprocess.Popen(
            command,
            cwd=requirements.parent,  # paths in the file are relative to it
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        guard.watch(process.pid)
        try:
            output, _ = process.communicate()
        except BaseException:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
            raise
        finally:
            guard.forget(process.pid)
    if process.returncode != 0:
        raise InstallFailed(f"{requirements.name} can't be installed: {_reason(output)}")


def _installer() -> list[str]:
    if importlib.util.find_spec("pip") is not None:
        options = ["--quiet", "--no-input", "--disable-pip-version-check", "--no-warn-conflicts"]
        return [sys.executable, "-m", "pip", "install", *options]
    uv = shutil.which("uv")
    if uv is not None:
        return [uv, "pip", "install", "--quiet", "--python", sys.executable]
    raise InstallFailed("there is neither pip nor uv to install requirements.txt with")


def _reason(output: str) -> str:
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    errors = [line.removeprefix("ERROR:").strip() for line in lines if line.startswith("ERROR:")]
    return (errors or lines or ["the installer gives no reason"])[-1]
