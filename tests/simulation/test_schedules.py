"""The run protocol holds under every schedule that is tried here."""

import os
import random
from functools import cache
from typing import Final

import pytest

from tests.simulation.batch import Batch, play_many
from tests.simulation.landmarks import DELETION_CANCELS
from tests.simulation.schedule import Outcome
from tests.simulation.weather import Fate, Kind

JOBS: Final = os.cpu_count() or 1
SHARE: Final = 250
"""Schedules that one test plays: so few that it is well within a test's time on a busy machine."""
SAME: Final = range(0, 1_500, SHARE)
FRESH: Final = 2
"""Shares of schedules that nobody has seen before."""

EVENTS: Final = frozenset(
    {
        "user_message",
        "approval_requested",
        "agent_cancelled",
        "agent_completed",
        "agent_reasoning",
        "agent_error agent_failed",
        "agent_error could_not_start",
        "agent_error engine_lost",
        "agent_error run_too_long",
        "agent_error step_too_long",
        "agent_error tool_outcome_unknown",
        "agent_retrying throttled",
        "agent_resumed answered",
        "agent_resumed engine_lost",
        "agent_resumed expired",
        "agent_resumed handed_over",
        "tool_executing",
        "tool_progress",
        "tool_completed ok",
        "tool_completed denied",
    }
)
ANSWERS: Final = frozenset(
    {
        *(f"run: {status}" for status in ("running", "queued", "waiting", "completed", "failed", "cancelled")),
        *(f"run: {code}" for code in ("busy", "queue_full", "quota_exceeded", "id_reused", "thread_not_found")),
        "approve: approved",
        "approve: approval_closed",
        "attach: attached",
        "attach: thread_not_found",
        "cancel: cancelling",
        "detach: detached",
        "forget: forgotten",
        "history: history",
        "rename: renamed",
        "threads: threads",
    }
)
FATES: Final = frozenset(
    {f"{kind} write: {fate}" for kind in (Kind.ROUTER, Kind.ENGINE) for fate in Fate if fate is not Fate.DONE}
)
HAZARDS: Final = frozenset(
    {
        *(f"ttl: {row}" for row in ("AttachedRow", "ConnectionRow", "RequestRow", "SocketRow")),
        *(f"{kind} read: torn" for kind in (Kind.ROUTER, Kind.ENGINE, Kind.NOTICE, Kind.SWEEP)),
        *(f"{kind}: clock steps {way}" for kind in (Kind.ROUTER, Kind.ENGINE) for way in ("on", "back")),
        *(f"hours: {hours}" for hours in (0.4, 0.8, 5.0, 23.5, 24.5, 26.0, 70.0)),
        "sockets: no room",
        "sockets: room of the gone",
        "socket stuck: 60",
        "socket stuck: 200",
        "socket stuck: 500",
        "agent_error unknown_agent",
        "refused: failed",
        "refused: None",
        "an agent goes on: the run has ended",
        DELETION_CANCELS,
    }
)


@cache
def played(first: int) -> Batch:
    """The same share of schedules every time."""
    return play_many(first, SHARE, jobs=JOBS)


def _told(violated: list[Outcome]) -> str:
    return "; ".join(f"make simulate SEED={outcome.seed}: {outcome.violations[0]}" for outcome in violated[:5])


@pytest.mark.parametrize("first", SAME)
def test_nothing_is_violated(first: int) -> None:
    """No promise is broken in the schedules of the first seeds."""
    batch = played(first)
    assert batch.done == SHARE
    assert not batch.violated, _told(batch.violated)


@pytest.mark.parametrize("share", range(FRESH))
def test_nothing_is_violated_in_fresh_schedules(share: int) -> None:
    """No promise is broken in schedules that nobody has seen before; a seed that does can be told again."""
    fresh = play_many(random.SystemRandom().randrange(10**6, 10**9), SHARE, jobs=JOBS)
    assert not fresh.violated, _told(fresh.violated)


def test_the_schedules_come_to_everything() -> None:
    """Every event, answer, fault and hazard that there is happens in the schedules of the first seeds."""
    missing = set(EVENTS | ANSWERS | FATES | HAZARDS)
    for first in SAME:
        missing.difference_update(played(first).reached)
        if not missing:
            break
    assert not missing
