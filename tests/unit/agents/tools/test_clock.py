"""The time anywhere."""

import pytest

from dayfly.agents.sdk.tool_context import ToolContext, ToolError
from dayfly.agents.tools.clock import current_time, find_zone
from tests.unit.agents.support import turn


@pytest.mark.parametrize(
    ("place", "zone"),
    [
        ("Asia/Tokyo", "Asia/Tokyo"),
        ("asia/tokyo", "Asia/Tokyo"),
        ("Tokyo", "Asia/Tokyo"),
        ("new york", "America/New_York"),
        ("New_York", "America/New_York"),
        ("San Francisco", "America/Los_Angeles"),
        ("UTC", "UTC"),
        ("Singapore", "Singapore"),
        ("buenos aires", "America/Argentina/Buenos_Aires"),
    ],
)
def test_places(place: str, zone: str) -> None:
    """A zone's own name, or a city that stands for one, in any case."""
    assert find_zone(place) in {zone, f"America/{zone.rpartition('/')[2]}"}


@pytest.mark.parametrize("place", ["Nowhere", "", "../../etc/passwd", "Asia"])
def test_unknown_places(place: str) -> None:
    """Anything else is refused with a hint."""
    with pytest.raises(ToolError, match="Europe/Berlin"):
        find_zone(place)


def test_the_runs_clock_is_asked() -> None:
    """The time is that of the run's clock, with the zone's offset at that time."""
    context = ToolContext.of(turn(), "c-1")
    assert current_time(context, "Tokyo") == "01:00:00 on Tuesday, 25 November 2025 in Asia/Tokyo (UTC+09:00)"
    assert current_time(context) == "16:00:00 on Monday, 24 November 2025 in UTC (UTC+00:00)"
