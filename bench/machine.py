"""What the figures were taken on."""

import os
import platform
import subprocess
from dataclasses import asdict, dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True, slots=True)
class Machine:
    """The machine and the version measured. `load` is the one-minute load average at the start: figures taken on a
    busy machine are worth their ratios only."""

    system: str
    processor: str
    cores: int
    python: str
    load: float
    commit: str

    def document(self) -> dict[str, object]:
        """As JSON."""
        return asdict(self)


def this_machine() -> Machine:
    """Reads it; the commit is empty outside a git repository."""
    return Machine(
        system=f"{platform.system()} {platform.release()}",
        processor=platform.machine(),
        cores=os.cpu_count() or 1,
        python=platform.python_version(),
        load=round(os.getloadavg()[0], 2),
        commit=_commit(),
    )


def _commit() -> str:
    try:
        done = subprocess.run(
            ["git", "describe", "--always", "--dirty"], cwd=ROOT, capture_output=True, text=True, check=True, timeout=10
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout.strip()
