"""Tables for people and for programs."""

import json
from datetime import UTC, datetime
from pathlib import Path

from bench.machine import Machine, this_machine
from bench.report import Report, Section

SECTION = Section(
    key="one",
    title="A table",
    columns=("what", "ms", "n"),
    rows=(("fast", 0.25, 3), ("slow", 12345.6, None)),
    notes=("a note",),
)


def test_a_table_is_aligned_and_keeps_its_notes() -> None:
    """Numbers stand to the right, what is missing is empty, notes come last."""
    assert SECTION.text().splitlines() == [
        "",
        "A table",
        "",
        "  what      ms  n",
        "  ----  ------  -",
        "  fast    0.25  3",
        "  slow  12,346",
        "  * a note",
    ]


def test_the_file_holds_the_figures_unrounded(tmp_path: Path) -> None:
    """The JSON is named by the time it was taken and has one object a row."""
    machine = Machine(system="x", processor="y", cores=2, python="3.13", load=0.5, commit="abc")
    report = Report(datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC), machine)
    report.add([SECTION])
    path = report.write(tmp_path / "results")
    assert path.name == "20260102T030405Z.json"
    document = json.loads(path.read_text())
    assert document["machine"]["commit"] == "abc"
    assert document["sections"]["one"]["rows"][1] == {"what": "slow", "ms": 12345.6, "n": None}


def test_the_machine_is_told() -> None:
    """A report says what it was taken on."""
    machine = this_machine()
    assert machine.cores >= 1
    assert machine.python.startswith("3.")
