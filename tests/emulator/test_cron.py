"""EventBridge cron expressions: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-cron-expressions.html."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from emulator.cron import BadCron, Cron

# A Wednesday.
NOW = datetime(2026, 7, 15, 10, 7, 30, tzinfo=UTC)


def due(fields: str, timezone: str = "UTC", *, now: datetime = NOW) -> str:
    """The next time after `now`, in UTC, to the minute."""
    found = Cron.parse(fields, timezone).after(now)
    return "never" if found is None else f"{found:%Y-%m-%d %H:%M}"


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ("0 12 * * ? *", "2026-07-15 12:00"),
        ("0 10 * * ? *", "2026-07-16 10:00"),
        ("* * * * ? *", "2026-07-15 10:08"),
        ("0/15 * * * ? *", "2026-07-15 10:15"),
        ("*/20 * * * ? *", "2026-07-15 10:20"),
        ("1/10 * * * ? *", "2026-07-15 10:11"),
        ("5-7,30 * * * ? *", "2026-07-15 10:30"),
        ("0 18 ? * MON-FRI *", "2026-07-15 18:00"),
        ("0 8 1 * ? *", "2026-08-01 08:00"),
        ("0/5 8-9 ? * MON-FRI *", "2026-07-16 08:00"),
        ("0 0 ? * 1 *", "2026-07-19 00:00"),
        ("0 9 ? * 2#1 *", "2026-08-03 09:00"),
        ("0 9 ? * TUE#5 *", "2026-09-29 09:00"),
        ("0 9 L * ? *", "2026-07-31 09:00"),
        ("0 9 LW 2 ? *", "2027-02-26 09:00"),
        ("0 9 ? * L *", "2026-07-18 09:00"),
        ("0 9 ? * FRIL *", "2026-07-31 09:00"),
        ("0 9 1W 8 ? *", "2026-08-03 09:00"),
        ("0 9 15W 11 ? *", "2026-11-16 09:00"),
        ("0 9 29 FEB ? *", "2028-02-29 09:00"),
        ("0 0 1 JAN ? 2030", "2030-01-01 00:00"),
        ("0 0 1 JAN ? 2020", "never"),
        ("0 0 31 2 ? *", "never"),
    ],
)
def test_when_an_expression_is_due(fields: str, expected: str) -> None:
    """Each wildcard means what the reference says."""
    assert due(fields) == expected


def test_a_time_zone_moves_with_its_summer_time() -> None:
    """Noon in Berlin is 10:00 UTC in July and 11:00 UTC in December."""
    assert due("0 12 * * ? *", "Europe/Berlin") == "2026-07-16 10:00"
    assert due("0 12 * * ? *", "Europe/Berlin", now=datetime(2026, 12, 1, tzinfo=UTC)) == "2026-12-01 11:00"


def test_an_hour_that_is_left_out_is_not_made_up_for() -> None:
    """02:30 does not exist on the day when the clocks go forward."""
    before = datetime(2026, 3, 28, 12, tzinfo=UTC)
    assert due("30 2 * * ? *", "Europe/Berlin", now=before) == "2026-03-30 00:30"


@pytest.mark.parametrize(
    ("fields", "timezone"),
    [
        ("0 12 * * *", "UTC"),
        ("0 12 * * * *", "UTC"),
        ("0 12 ? * ? *", "UTC"),
        ("60 * * * ? *", "UTC"),
        ("0 24 * * ? *", "UTC"),
        ("x * * * ? *", "UTC"),
        ("9-5 * * * ? *", "UTC"),
        ("0/0 * * * ? *", "UTC"),
        ("0 0 32W * ? *", "UTC"),
        ("0 0 ? * 8 *", "UTC"),
        ("0 0 * * ? 1969", "UTC"),
        ("0 12 * * ? *", "Mars/Olympus"),
    ],
)
def test_what_eventbridge_would_refuse_is_refused(fields: str, timezone: str) -> None:
    """Wrong counts, values out of range, no or two `?`, unknown zones."""
    with pytest.raises(BadCron):
        Cron.parse(fields, timezone)
