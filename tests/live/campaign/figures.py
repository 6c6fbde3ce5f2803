"""How long recovery took, from deaths in the emulator's log and the timestamps of events."""

from collections.abc import Iterable
from dataclasses import dataclass

from tests.live.campaign.deaths import Death
from tests.live.kit.client import Frame
from tests.live.kit.reducer import RunView
from tests.live.kit.steps import moment

SLACK_S = 0.2


@dataclass(frozen=True)
class Recovery:
    """When an engine died, its run was resumed or ended, and the next engine spoke: seconds since the epoch."""

    run_id: str
    died: float
    noticed: float
    spoke: float | None

    @property
    def noticed_s(self) -> float:
        """Seconds from the death until the run was resumed or ended."""
        return max(0.0, self.noticed - self.died)

    @property
    def spoke_s(self) -> float | None:
        """Seconds from the death until the next engine said something."""
        return None if self.spoke is None else self.spoke - self.died


def recoveries(runs: Iterable[RunView], deaths: Iterable[Death]) -> list[Recovery]:
    """Gives each recovery the latest death before it that lies in its run's silence and is no other recovery's."""
    left = sorted((death.at for death in deaths), reverse=True)
    found: list[Recovery] = []
    silences = sorted((silence for run in runs for silence in _silences(run)), key=lambda silence: silence.until)
    for silence in silences:
        died = next((at for at in left if silence.since - SLACK_S <= at <= silence.until + SLACK_S), None)
        if died is not None:
            left.remove(died)
            found.append(Recovery(silence.run_id, died, silence.until, silence.over))
    return found


@dataclass(frozen=True)
class _Silence:
    """Between what a run said last, its recovery, and what it said next."""

    run_id: str
    since: float
    until: float
    over: float | None


def _silences(run: RunView) -> list[_Silence]:
    events = run.ordered()
    nexts = [moment(event) for event in events[1:]] + [None]
    return [
        _Silence(run.run_id, moment(events[place - 1]), moment(event), nexts[place])
        for place, event in enumerate(events)
        if place and _is_recovery(event)
    ]


def _is_recovery(event: Frame) -> bool:
    payload = event["payload"]
    if event["type"] == "agent_resumed":
        return bool(payload["reason"] == "engine_lost")
    return event["type"] == "agent_error" and payload["code"] in {"engine_lost", "tool_outcome_unknown"}


def quantile(values: list[float], share: float) -> float:
    """The value below which that share of them lies; 0 of none."""
    return sorted(values)[min(len(values) - 1, int(share * len(values)))] if values else 0.0
