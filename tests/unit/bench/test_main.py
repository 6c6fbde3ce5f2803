"""`python -m bench`: its exit status."""

from dataclasses import replace
from pathlib import Path

import pytest

from bench.__main__ import MEASURES, main
from bench.report import Section

HELD = Section(key="one", title="A table", columns=("what", "n"), rows=(("calls", 3),))


@pytest.mark.parametrize(("findings", "status"), [((), 0), (("calls grow faster than the events",), 1)])
def test_a_finding_is_told_and_makes_it_fail(
    findings: tuple[str, ...],
    status: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """What is not as it must be stands in a line of its own, and in the exit status."""

    async def measure() -> list[Section]:
        return [replace(HELD, findings=findings)]

    monkeypatch.setitem(MEASURES, "growth", measure)
    assert main(["--only", "growth", "--results", str(tmp_path)]) == status
    assert [line for line in capsys.readouterr().out.splitlines() if line.startswith("!")] == [
        f"! {finding}" for finding in findings
    ]
