"""How long recovery took, from deaths in the emulator's log and the timestamps of events."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass, field

from tests.faults.deaths import Death
from tests.faults.reducer import RunView
from tests.faults.wire import Frame

SLACK_S = 0.2


@dataclass
class Recoveries:
    """Seconds from an engine's death until its run was resumed or ended, and until its next engine said something."""

    noticed: list[float] = field(default_factory=list)
    going_on: list[float] = field(default_factory=list)


def recoveries(runs: Iterable[RunView], deaths: Iterable[Death]) -> Recoveries:
    """Gives each recovery the latest death before it that lies in its run's silence and is no other recovery's."""
    left = sorted((death.at for death in deaths), reverse=True)
    found = Recoveries()
    steps = sorted((step for run in runs for step in _steps(run)), key=lambda step: step[1])
    for before, at, after in steps:
        died = next((moment for moment in left if before - SLACK_S <= moment <= at + SLACK_S), None)
        if died is not None:
            left.remove(died)
            found.noticed.append(max(0.0, at - died))
            if after is not None:
                found.going_on.append(after - died)
    return found


def _steps(run: RunView) -> list[tuple[float, float, float | None]]:
    """Of each recovery: when the run last spoke before, when it was recovered, when it spoke after."""
    events = run.ordered()
    return [
        (moment(events[place - 1]), moment(event), moment(events[place + 1]) if place + 1 < len(events) else None)
        for place, event in enumerate(events)
        if place and _is_recovery(event)
    ]


def _is_recovery(event: Frame) -> bool:
    payload = event["payload"]
    if event["type"] == "agent_resumed":
        return bool(payload["reason"] == "engine_lost")
    return event["type"] == "agent_error" and payload["code"] in {"engine_lost", "tool_outcome_unknown"}


def moment(event: Frame) -> float:
    """An event's timestamp in seconds since the epoch."""
    return dt.datetime.fromisoformat(event["timestamp"]).timestamp()


def quantile(values: list[float], share: float) -> float:
    """The value below which that share of them lies; 0 of none."""
    return sorted(values)[min(len(values) - 1, int(share * len(values)))] if values else 0.0
