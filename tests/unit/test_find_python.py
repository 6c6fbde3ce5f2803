"""Which Python a clone works with, on machines that have theirs in different places."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PYENV = "pyenv/versions/3.13.0/bin/python3.13"

STAND_IN = """#!/bin/sh
if [ "$1" = -c ]; then
    exec "{real}" -c "import sys; sys.version_info = {version}; exec(sys.argv[1])" "$2"
fi
echo "$@" >"$0.ran"
"""


class Machine:
    """A clone on a machine that has no Python but those it is given: scripts that say they are of some version."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._commands = folder / "commands"
        self._commands.mkdir()
        for command in ("sh", "dirname", "ls", "tail", "make"):
            found = shutil.which(command)
            assert found is not None
            (self._commands / command).symlink_to(found)
        self.clone = folder / "clone"
        shutil.copytree(ROOT / "scripts", self.clone / "scripts", ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copytree(ROOT / "functions/router", self.clone / "functions/router")

    def gets(self, place: str, *version: int) -> Path:
        """Puts a Python of this version there."""
        path = self._folder / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(STAND_IN.format(real=sys.executable, version=version))
        path.chmod(0o755)
        return path

    def run(self, *command: str, python: Path | None = None) -> subprocess.CompletedProcess[str]:
        """Runs a command in the clone; the variable `PYTHON` may be set."""
        variables = {"PATH": str(self._commands), "HOME": str(self._folder), "PYENV_ROOT": str(self._folder / "pyenv")}
        if python is not None:
            variables["PYTHON"] = str(python)
        return subprocess.run(
            command, cwd=self.clone, env=variables, capture_output=True, text=True, timeout=60, check=False
        )

    def found(self, *arguments: str, python: Path | None = None) -> Path | None:
        """What `find-python` names, or None where it fails and says why."""
        done = self.run("scripts/find-python", *arguments, python=python)
        assert bool(done.stderr) == (done.returncode != 0)
        named = done.stdout.strip()
        if not named:
            return None
        # A name without a folder is looked up as a shell does it; the clone's own is named from the clone.
        return Path(os.path.normpath((self.clone if "/" in named else self._commands) / named))


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """A machine without a Python."""
    return Machine(tmp_path)


def test_a_machine_without_python_is_told_so(machine: Machine) -> None:
    """Nothing is named, for work or for building."""
    assert machine.found() is None
    assert machine.found("3.13") is None


@pytest.mark.parametrize("arguments", [(), ("3.13",)])
def test_3_13_of_pyenv_alone_is_found(machine: Machine, arguments: tuple[str, ...]) -> None:
    """It needs neither pyenv's command nor its shims, and comes before an older one of the machine's."""
    machine.gets("commands/python3", 3, 11, 2)
    expected = machine.gets(PYENV, 3, 13, 0)
    assert machine.found(*arguments) == expected


def test_a_build_takes_nothing_but_3_13(machine: Machine) -> None:
    """Work takes 3.12 or 3.14; a build does not, even where it is named."""
    older, newer = machine.gets("commands/python3", 3, 12, 1), machine.gets("newer", 3, 14, 0)
    assert machine.found() == older
    assert machine.found(python=newer) == newer
    assert machine.found("3.13") is None
    assert machine.found("3.13", python=newer) is None


def test_a_build_looks_into_the_environment_first(machine: Machine) -> None:
    """That one is in use; a named one comes before it."""
    in_pyenv, in_use = machine.gets(PYENV, 3, 13, 0), machine.gets("clone/.venv/bin/python", 3, 13, 5)
    assert machine.found() == in_pyenv
    assert machine.found("3.13") == in_use
    assert machine.found("3.13", python=in_pyenv) == in_pyenv


def test_a_function_is_built_with_3_13_of_pyenv_alone(machine: Machine) -> None:
    """What `sam build` runs for a function finds it by itself, in a clone that was never set up."""
    python = machine.gets(PYENV, 3, 13, 0)
    done = machine.run("make", "-f", "functions/router/Makefile", "build-RouterFunction", "ARTIFACTS_DIR=/artifacts")
    assert done.returncode == 0, done.stderr
    assert Path(f"{python}.ran").read_text().split() == [
        str(machine.clone / "scripts/build.py"),
        *("function", "router", "/artifacts"),
    ]
