"""The lanes run every test once, and hide no failure."""

import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.lanes import run
from tests.lanes.lane import ROOT, SETS, Lane, outside
from tests.lanes.run import play

PASSES = "def test_passes() -> None:\n    print('seen')\n"
FAILS = "def test_fails() -> None:\n    assert 'told' == 'hidden'\n"
SKIPS = "import pytest\n\ndef test_skips() -> None:\n    pytest.skip('not here')\n"
# A fixture of its own that must be torn down, and a test that goes on.
WAITS = """
import pathlib, time, pytest
HERE = pathlib.Path(__file__).parent

@pytest.fixture
def kept():
    (HERE / "begun").touch()
    yield
    (HERE / "cleaned").touch()

def test_waits(kept):
    time.sleep(60)
"""


@pytest.fixture(autouse=True)
def reports(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Reports of these lanes are not those of the run that they are part of."""
    monkeypatch.setattr(run, "REPORTS", tmp_path / "reports")
    monkeypatch.setattr("tests.lanes.lane.REPORTS", tmp_path / "reports")


def _lane(folder: Path, name: str, source: str) -> Lane:
    path = folder / f"test_{name}.py"
    path.write_text(source)
    return Lane(name=name, paths=(str(path),))


def test_every_test_is_in_one_lane() -> None:
    """No file of tests is left out of `make test`, or run twice by it."""
    assert [*outside(SETS["all"])] == []


def test_a_file_in_no_lane_is_found() -> None:
    """With a lane less, its files are named."""
    assert ROOT / next(outside(SETS["all"][1:])) in [*(ROOT / "tests").rglob("test_*.py")]


def test_all_lanes_pass(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The result is 0, what they said is not shown, and each has its report."""
    assert play([_lane(tmp_path, "one", PASSES), _lane(tmp_path, "two", PASSES)]) == 0
    said = capsys.readouterr().out
    assert "all passed" in said
    assert "seen" not in said
    assert sorted(path.name for path in (tmp_path / "reports").glob("*.xml")) == ["one.xml", "two.xml"]


def test_parts_are_the_whole(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Of two parts each file is in one."""
    for number in range(6):
        (tmp_path / f"test_{number}.py").write_text(PASSES)
    play([Lane(name=f"part {part}", paths=(str(tmp_path),), part=(part, 2)) for part in range(2)])
    counts = [int(found) for found in re.findall(r"part \d .*: .*?(\d) passed", capsys.readouterr().out)]
    assert sum(counts) == 6
    assert 0 < counts[0] < 6


def test_a_lane_that_fails_is_shown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One failure of many is the result, and its output is there; so is it of a lane that collects nothing at all."""
    assert play([_lane(tmp_path, "one", PASSES), _lane(tmp_path, "two", FAILS)]) == 1
    said = capsys.readouterr().out
    assert "failed: two" in said
    assert "assert 'told' == 'hidden'" in said
    assert play([_lane(tmp_path, "empty", "")]) == 1
    assert play([Lane(name="command", command=("false",))]) == 1


@pytest.mark.parametrize(("ci", "result"), [("true", 1), ("", 0)])
def test_nothing_is_skipped_in_ci(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, ci: str, result: int
) -> None:
    """A skipped test fails its lane there, and is named; elsewhere it does not."""
    monkeypatch.setenv("CI", ci)
    assert play([_lane(tmp_path, "one", SKIPS)]) == result
    assert ("SKIPPED" in capsys.readouterr().out) is bool(ci)


@pytest.mark.parametrize("interrupt", ["default_int_handler", "SIG_IGN"])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_lanes_end_with_who_started_them(tmp_path: Path, number: signal.Signals, interrupt: str) -> None:
    """Ended or killed, in a shell's background too, it leaves no lane behind; what it has set up is torn down first."""
    _lane(tmp_path, "waits", WAITS)
    code = (
        "import signal, sys; from pathlib import Path; from tests.lanes import lane, run;"
        "run.REPORTS = lane.REPORTS = Path(sys.argv[2]);"
        "signal.signal(signal.SIGTERM, signal.default_int_handler);"
        f"signal.signal(signal.SIGINT, signal.{interrupt});"
        "run.play([lane.Lane(name='waits', paths=(sys.argv[1],))])"
    )
    path = str(tmp_path / "test_waits.py")
    with subprocess.Popen([sys.executable, "-c", code, path, str(tmp_path / "reports")], cwd=ROOT) as runner:
        _until((tmp_path / "begun").exists)
        runner.send_signal(number)
    _until((tmp_path / "cleaned").exists)
    _until(lambda: not _running(path))


def _until(holds: Callable[[], bool]) -> None:
    until = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < until
        time.sleep(0.05)


def _running(argument: str) -> bool:
    listing = subprocess.run(["ps", "-eo", "args="], capture_output=True, check=True, text=True).stdout
    return any(argument in line and "pytest" in line for line in listing.splitlines())
