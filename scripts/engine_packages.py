"""Install what `functions/engine/requirements.txt` asks for beside what is installed, which keeps its versions.

python -m scripts.engine_packages
"""

import importlib.metadata
import subprocess
import sys
import tempfile
from pathlib import Path

from scripts.build import ROOT, asks_for_something

REQUIREMENTS = ROOT / "functions" / "engine" / "requirements.txt"


def main() -> int:
    """Run pip; its own words say what went wrong."""
    if not REQUIREMENTS.is_file() or not asks_for_something(REQUIREMENTS.read_text("utf-8")):
        return 0
    sys.stdout.write("· Python packages of the agents\n")
    sys.stdout.flush()
    with tempfile.TemporaryDirectory() as scratch:
        constraints = Path(scratch, "constraints.txt")
        # An installation that was broken off leaves a folder without a name in it.
        named = (one for one in importlib.metadata.distributions() if "Name" in one.metadata)
        installed = {f"{one.name}=={one.version}\n" for one in named}
        constraints.write_text("".join(sorted(installed)), "utf-8")
        command = [
            *(sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input"),
            *("--constraint", str(constraints), "--requirement", str(REQUIREMENTS)),
        ]
        return subprocess.run(command, check=False).returncode  # noqa: S603  our own arguments, no shell


if __name__ == "__main__":
    sys.exit(main())
