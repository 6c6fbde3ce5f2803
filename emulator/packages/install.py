"""Installing a `requirements.txt` into a folder, with pip, the pip that Python carries, or uv: the first there is."""

import importlib.util
import os
import shutil
import signal
import subprocess
import sys
import sysconfig
from pathlib import Path

from emulator.processes import Reaper

_REASON_LENGTH = 300


class InstallFailed(Exception):
    """The packages can't be had; the message is one line for the developer."""


def install(requirements: Path, folder: Path) -> None:
    """Install into `folder` for the emulator's own Python. Raises `InstallFailed`."""
    command = [*_installer(), "--target", str(folder), "--requirement", str(requirements.resolve())]
    # In a session of its own, so that whatever it starts ends with it, even if the emulator is killed meanwhile.
    with Reaper() as reaper:
        process = subprocess.Popen(
            command,
            cwd=requirements.parent,  # paths in the file are relative to it
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        reaper.watch(process.pid)
        try:
            output, _ = process.communicate()
        except BaseException:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
            raise
        finally:
            reaper.forget(process.pid)
    if process.returncode != 0:
        raise InstallFailed(f"{requirements.name} can't be installed: {_reason(output)}")


def _installer() -> list[str]:
    options = ["install", "--quiet", "--no-input", "--disable-pip-version-check", "--no-warn-conflicts"]
    if importlib.util.find_spec("pip") is not None:
        return [sys.executable, "-m", "pip", *options]
    # A virtual environment may have been made without pip; `ensurepip` has a wheel of it, which runs as it is.
    # Distributions of Linux keep it elsewhere, or take it out: https://docs.python.org/3/using/configure.html
    spec = importlib.util.find_spec("ensurepip")
    folders = [Path(spec.origin).parent / "_bundled"] if spec and spec.origin else []
    if shared := sysconfig.get_config_var("WHEEL_PKG_DIR"):
        folders.append(Path(shared))
    carried = [wheel for folder in folders for wheel in folder.glob("pip-*.whl")]
    if carried:
        return [sys.executable, str(carried[0] / "pip"), *options]
    uv = shutil.which("uv")
    if uv is not None:
        return [uv, "pip", "install", "--quiet", "--python", sys.executable]
    raise InstallFailed("there is neither pip nor uv to install requirements.txt with")


def _reason(output: str) -> str:
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    errors = [line.removeprefix("ERROR:").strip() for line in lines if line.startswith("ERROR:")]
    return errors[-1] if errors else " ".join(lines)[-_REASON_LENGTH:] or "the installer gives no reason"
