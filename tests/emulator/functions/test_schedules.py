"""Schedules: at a rate, and at the times of a cron expression."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from emulator.contract import ScheduleSpec
from emulator.functions import LambdaOptions
from emulator.functions.schedules import Schedules

Fired = list[tuple[str, bytes]]


def clock(start: datetime) -> Callable[[], datetime]:
    """A clock that stands at `start` now and goes on."""
    begun = time.monotonic()
    return lambda: start + timedelta(seconds=time.monotonic() - begun)


async def fired(spec: ScheduleSpec, *, now: datetime, options: LambdaOptions | None = None) -> Fired:
    """What a schedule fires within half a second from `now` on."""
    found: Fired = []

    def fire(function: str, payload: bytes) -> None:
        found.append((function, payload))

    schedules = Schedules([spec], options=options or LambdaOptions(), fire=fire, clock=clock(now))
    schedules.start()
    await asyncio.sleep(0.5)
    await schedules.stop()
    return found


BEFORE_NOON = datetime(2026, 7, 15, 11, 59, 59, 800_000, tzinfo=UTC)


async def test_a_cron_schedule_fires_at_its_minute_once() -> None:
    """With its own input."""
    spec = ScheduleSpec("fn", 0, '{"a": 1}', cron="0 12 * * ? *")
    assert await fired(spec, now=BEFORE_NOON) == [("fn", b'{"a": 1}')]


async def test_a_cron_schedule_waits_for_its_time() -> None:
    """In its own time zone: noon in London is an hour before noon in UTC in July."""
    spec = ScheduleSpec("fn", 0, None, cron="0 12 * * ? *", timezone="Europe/London")
    assert await fired(spec, now=BEFORE_NOON) == []
    ((_, event),) = await fired(spec, now=BEFORE_NOON - timedelta(hours=1))
    assert json.loads(event)["detail-type"] == "Scheduled Event"


async def test_a_cron_schedule_of_the_past_never_fires() -> None:
    """And ends without an error."""
    assert await fired(ScheduleSpec("fn", 0, None, cron="0 12 * * ? 2020"), now=BEFORE_NOON) == []


async def test_an_interval_for_all_schedules_holds_for_cron_too() -> None:
    """`--schedule-every` is for tests that can't wait for noon."""
    found = await fired(
        ScheduleSpec("fn", 0, "{}", cron="0 0 1 1 ? 2199"),
        now=BEFORE_NOON,
        options=LambdaOptions(schedule_every_s=0.2),
    )
    assert len(found) == 2
