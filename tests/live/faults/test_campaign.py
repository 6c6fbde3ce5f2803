"""Runs under random faults keep every promise; `make faults` plays 500."""

from pathlib import Path

import pytest

from tests.live.campaign.campaign import Campaign, Plan
from tests.live.campaign.report import table
from tests.live.kit.emulator import chatting

RUNS, SEED, AT_ONCE = 12, 4711, 4
MOST_S = 600
"""Each step of a campaign has its own bound; together they may come to more than that of a test."""


@pytest.mark.timeout(MOST_S)
async def test_runs_under_random_faults(application: Path) -> None:
    """Nothing is lost, nothing comes twice, nothing is left hanging, and every device ends with the same view."""
    plan = Plan(runs=RUNS, seed=SEED, at_once=AT_ONCE)
    options = ("--schedule-every", "2", "--parameter-overrides", "WarmUp=off")
    with chatting(application, *options) as emulator:
        result = await Campaign(emulator.url, emulator.lines, plan).run()
    summary = "\n".join(table(result))
    assert result.is_good, summary
    assert result.played >= RUNS
    assert sum(result.deaths.values()) > 0, "nothing was killed"
