"""Thirty runs under random faults keep every promise."""

from pathlib import Path

from tests.live.campaign.campaign import Campaign, Plan
from tests.live.campaign.report import table
from tests.live.kit.emulator import chatting

RUNS, SEED = 30, 4711


async def test_thirty_runs_under_random_faults(application: Path) -> None:
    """Nothing is lost, nothing comes twice, nothing is left hanging, and every device ends with the same view."""
    options = ("--schedule-every", "2", "--parameter-overrides", "WarmUp=off")
    with chatting(application, *options) as emulator:
        result = await Campaign(emulator.url, emulator.lines, Plan(runs=RUNS, seed=SEED)).run()
    summary = "\n".join(table(result))
    assert result.is_good, summary
    assert result.played >= RUNS
    assert sum(result.deaths.values()) > 0, "nothing was killed"
