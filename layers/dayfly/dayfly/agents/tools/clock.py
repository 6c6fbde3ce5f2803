"""The time anywhere."""

from datetime import UTC, datetime
from functools import cache
from typing import Final
from zoneinfo import ZoneInfo, available_timezones

from dayfly.agents.sdk.tool_context import ToolContext, ToolError

# Places people name that are no zone of their own. Source: the zone files' comments, https://www.iana.org/time-zones
_ALSO: Final = {
    "beijing": "Asia/Shanghai",
    "boston": "America/New_York",
    "delhi": "Asia/Kolkata",
    "germany": "Europe/Berlin",
    "france": "Europe/Paris",
    "india": "Asia/Kolkata",
    "italy": "Europe/Rome",
    "mumbai": "Asia/Kolkata",
    "bangalore": "Asia/Kolkata",
    "munich": "Europe/Berlin",
    "frankfurt": "Europe/Berlin",
    "hamburg": "Europe/Berlin",
    "milan": "Europe/Rome",
    "barcelona": "Europe/Madrid",
    "geneva": "Europe/Zurich",
    "san francisco": "America/Los_Angeles",
    "seattle": "America/Los_Angeles",
    "washington": "America/New_York",
    "miami": "America/New_York",
    "houston": "America/Chicago",
    "dallas": "America/Chicago",
    "montreal": "America/Toronto",
    "rio de janeiro": "America/Sao_Paulo",
    "cape town": "Africa/Johannesburg",
    "osaka": "Asia/Tokyo",
    "kyoto": "Asia/Tokyo",
    "spain": "Europe/Madrid",
    "uk": "Europe/London",
    "england": "Europe/London",
}


def current_time(context: ToolContext, zone: str = "UTC") -> str:
    """Tells the present date and time in a time zone.

    Args:
        zone: An IANA time zone such as "Asia/Tokyo", or a city such as "Tokyo".
    """
    name = find_zone(zone)
    now = datetime.fromtimestamp(context.clock.now_ms() / 1000, UTC).astimezone(ZoneInfo(name))
    offset = now.strftime("%z")
    return f"{now:%H:%M:%S} on {now:%A}, {now.day} {now:%B %Y} in {name} (UTC{offset[:3]}:{offset[3:]})"


def find_zone(place: str) -> str:
    """The IANA name of a zone or of a city that stands for exactly one. Raises `ToolError` for anything else."""
    wanted = " ".join(place.replace("_", " ").casefold().split()).strip(" .?!")
    candidates = _zones().get(wanted, ())
    if len(candidates) == 1:
        return candidates[0]
    if candidates:
        raise ToolError(f'"{place}" may be {", ".join(candidates)}: which of them?')
    raise ToolError(f'"{place}" is no time zone I know; name one such as Europe/Berlin or America/New_York.')


@cache
def _zones() -> dict[str, tuple[str, ...]]:
    """All zones by their full names and by their last parts, in lower case. Built once: it is the same for everyone."""
    names = sorted(available_timezones())
    zones: dict[str, tuple[str, ...]] = {place: (name,) for place, name in _ALSO.items()}
    for name in names:
        if "/" in name and not name.startswith(("Etc/", "SystemV/", "US/", "posix/", "right/")):
            city = name.rpartition("/")[2].replace("_", " ").casefold()
            zones[city] = _one_of(*zones.get(city, ()), name)
    # A full name wins over a city of the same name: "Singapore", "Japan", "UTC" are zones themselves.
    return zones | {name.replace("_", " ").casefold(): (name,) for name in names}


def _one_of(*names: str) -> tuple[str, ...]:
    """Drops zones that are only other names of the first: the same rules, such as America/Indianapolis."""
    kept: list[str] = []
    for name in names:
        if not any(_same_rules(name, other) for other in kept):
            kept.append(name)
    return tuple(kept)


def _same_rules(one: str, other: str) -> bool:
    return all(
        datetime(2026, month, 1, tzinfo=ZoneInfo(one)).utcoffset()
        == datetime(2026, month, 1, tzinfo=ZoneInfo(other)).utcoffset()
        for month in (1, 7)
    )
