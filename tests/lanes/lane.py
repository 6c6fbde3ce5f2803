"""What runs beside what. Each lane is one process, and its tests run one after the other."""

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
REPORTS: Final = ROOT / ".build" / "junit"


@dataclass(frozen=True, kw_only=True)
class Lane:
    """One process among those that run at once.

    Args:
        name: what it is called in the progress and in the name of its report.
        paths: what pytest collects, from the root of the repository; empty for another command.
        command: what runs instead of pytest, in `folder`.
        part: which of how many parts of the files is run here; each file is in one.
        patient: nothing in it is held to a clock: it takes what time of the processors the others leave.
    """

    name: str
    paths: tuple[str, ...] = ()
    command: tuple[str, ...] = ()
    folder: Path = ROOT
    part: tuple[int, int] = (0, 1)
    patient: bool = False

    def arguments(self) -> tuple[str, ...]:
        """The whole command line."""
        if self.command:
            return self.command
        report = f"--junit-xml={REPORTS / f'{self.name}.xml'}"
        part = f"--lane-part={self.part[0]}/{self.part[1]}"
        return (sys.executable, "-m", "pytest", "-p", "tests.lanes.progress", part, report, *self.paths)

    def holds(self, path: Path) -> bool:
        """Whether the tests of a file, from the root of the repository, are this lane's."""
        return any(path == Path(each) or Path(each) in path.parents for each in self.paths)


CORE: Final = Lane(name="core", paths=("tests/unit", "tests/contract", "tests/simulation"), patient=True)
PAGE: Final = Lane(name="page", command=("npm", "test", "--silent"), folder=ROOT / "web", patient=True)
FAULTS: Final = Lane(name="faults", paths=("tests/live/faults",))
CHAT: Final = Lane(name="chat", paths=("tests/live/e2e", "tests/live/models", "tests/live/browser"))
EMULATOR: Final = Lane(name="emulator", paths=("tests/emulator",))

UNIT: Final = tuple(
    Lane(name=f"unit {part + 1}", paths=("tests/unit",), part=(part, 2), patient=True) for part in range(2)
)

SETS: Final[dict[str, tuple[Lane, ...]]] = {
    "all": (CORE, PAGE, FAULTS, CHAT, EMULATOR),
    "unit": (*UNIT, PAGE),
    "live": (FAULTS, CHAT),
}


def outside(lanes: tuple[Lane, ...]) -> Iterator[Path]:
    """Files of tests that are in no lane or in several: what nobody runs, or what runs twice."""
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        at = path.relative_to(ROOT)
        if sum(lane.holds(at) for lane in lanes) != 1:
            yield at
