"""When an EventBridge cron expression is due.

https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-cron-expressions.html
"""

import calendar
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

_MONTHS = {name: number for number, name in enumerate(calendar.month_abbr) if name}
_DAYS = {name: number for number, name in enumerate(("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"), start=1)}
_FIELDS = 6
_LAST_YEAR = 2199
# No month and day come together less often than the 29th of February, eight years over a turn of a century.
_HORIZON_DAYS = 9 * 366

_Days = Callable[[date], bool]


class BadCron(ValueError):
    """The expression is not one that EventBridge would take; the message says which part."""


@dataclass(frozen=True)
class Cron:
    """A cron expression in a time zone."""

    minutes: frozenset[int]
    hours: frozenset[int]
    months: frozenset[int]
    years: frozenset[int]
    on_day: _Days
    zone: ZoneInfo

    @classmethod
    def parse(cls, fields: str, timezone: str = "UTC") -> "Cron":
        """Read the six fields, without `cron(...)` around them. Raises `BadCron`."""
        parts = fields.upper().split()
        if len(parts) != _FIELDS:
            raise BadCron(f"cron({fields}) has {len(parts)} fields, not {_FIELDS}")
        minutes, hours, days, months, weekdays, years = parts
        if (days == "?") == (weekdays == "?"):
            raise BadCron(f"cron({fields}) must have ? for either the day of the month or the day of the week")
        try:
            zone = ZoneInfo(timezone)
        except (ZoneInfoNotFoundError, ValueError):
            raise BadCron(f"there is no time zone {timezone}") from None
        return cls(
            minutes=_numbers(minutes, 0, 59),
            hours=_numbers(hours, 0, 23),
            months=_numbers(months, 1, 12, {name.upper(): number for name, number in _MONTHS.items()}),
            years=_numbers(years, 1970, _LAST_YEAR),
            on_day=_days_of_month(days) if weekdays == "?" else _days_of_week(weekdays),
            zone=zone,
        )

    def after(self, moment: datetime) -> datetime | None:
        """The first minute later than `moment` (aware) at which it is due, in UTC; None if it never is again.

        A local time that a change of the clocks leaves out is not made up for, one that comes twice counts once.
        """
        day = moment.astimezone(self.zone).date()
        first = min((year for year in self.years if year >= day.year), default=None)
        if first is None:
            return None
        day = max(day, date(first, 1, 1))
        for _ in range(_HORIZON_DAYS):
            if day.year in self.years and day.month in self.months and self.on_day(day):
                for due in self._times(day):
                    if due > moment:
                        return due
            if day.year == _LAST_YEAR and (day.month, day.day) == (12, 31):
                return None
            day += timedelta(days=1)
        return None

    def _times(self, day: date) -> list[datetime]:
        local = (
            datetime(day.year, day.month, day.day, hour, minute, tzinfo=self.zone)
            for hour in self.hours
            for minute in self.minutes
        )
        times = ((each, each.astimezone(UTC)) for each in local)
        return sorted(
            due for each, due in times if due.astimezone(self.zone).replace(tzinfo=None) == each.replace(tzinfo=None)
        )


def _numbers(field: str, least: int, most: int, names: dict[str, int] | None = None) -> frozenset[int]:
    found: set[int] = set()
    for part in field.split(","):
        span, _, step = part.partition("/")
        low, dash, high = span.partition("-")
        if span == "*":
            start, end = least, most
        else:
            start = _number(low, least, most, names)
            # `5/10` is every tenth from the fifth on, `5` the fifth alone.
            end = _number(high, least, most, names) if dash else (most if step else start)
        if start > end or (step and not step.isdecimal()) or step == "0" or (part.endswith("/")):
            raise BadCron(f"{part} is not a range")
        found |= {*range(start, end + 1, int(step or 1))}
    return frozenset(found)


def _number(text: str, least: int, most: int, names: dict[str, int] | None) -> int:
    number = (names or {}).get(text, int(text) if text.isdecimal() else None)
    if number is None or not least <= number <= most:
        raise BadCron(f"{text} is not from {least} to {most}")
    return number


def _days_of_month(field: str) -> _Days:
    if field == "L":
        return lambda day: day.day == _length(day)
    if field == "LW":
        return lambda day: day.day == _nearest_weekday(day, _length(day))
    nearest = re.fullmatch(r"(\d+)W", field)
    if nearest is not None:
        wanted = _number(nearest[1], 1, 31, None)
        return lambda day: wanted <= _length(day) and day.day == _nearest_weekday(day, wanted)
    days = _numbers(field, 1, 31)
    return lambda day: day.day in days


def _days_of_week(field: str) -> _Days:
    if field == "L":
        return lambda day: _weekday(day) == _DAYS["SAT"]
    last = re.fullmatch(r"(\w+)L", field)
    if last is not None:
        wanted = _number(last[1], 1, 7, _DAYS)
        return lambda day: _weekday(day) == wanted and day.day > _length(day) - 7
    instance = re.fullmatch(r"(\w+)#([1-5])", field)
    if instance is not None:
        wanted, number = _number(instance[1], 1, 7, _DAYS), int(instance[2])
        return lambda day: _weekday(day) == wanted and (day.day - 1) // 7 + 1 == number
    days = _numbers(field, 1, 7, _DAYS)
    return lambda day: _weekday(day) in days


def _weekday(day: date) -> int:
    return day.isoweekday() % 7 + 1


def _length(day: date) -> int:
    return calendar.monthrange(day.year, day.month)[1]


def _nearest_weekday(day: date, wanted: int) -> int:
    """The day from Monday to Friday in the month of `day` that is closest to its day `wanted`."""
    weekday = date(day.year, day.month, wanted).isoweekday()
    if weekday == 6:
        return wanted - 1 if wanted > 1 else wanted + 2
    if weekday == 7:
        return wanted + 1 if wanted < _length(day) else wanted - 2
    return wanted
