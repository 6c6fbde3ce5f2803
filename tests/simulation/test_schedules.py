"""The run protocol holds under every schedule that is tried here."""

import os
import random
from typing import Final

import pytest

from tests.simulation.batch import Batch, play_many
from tests.simulation.schedule import Outcome
from tests.simulation.weather import Fate, Kind

JOBS: Final = os.cpu_count() or 1
SAME: Final = 4_000
FRESH: Final = 1_000

EVENTS: Final = frozenset(
    {
        "user_message",
        "approval_requested",
        "agent_cancelled",
        "agent_completed",
        "agent_error agent_failed",
        "agent_error could_not_start",
        "agent_error engine_lost",
        "agent_error run_too_long",
        "agent_error step_too_long",
        "agent_error tool_outcome_unknown",
        "agent_resumed answered",
        "agent_resumed engine_lost",
        "agent_resumed expired",
        "agent_resumed handed_over",
        "tool_executing",
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


@pytest.fixture(scope="module")
def batch() -> Batch:
    """The same schedules every time."""
    return play_many(0, SAME, jobs=JOBS)


def _told(violated: list[Outcome]) -> str:
    return "; ".join(f"make simulate SEED={outcome.seed}: {outcome.violations[0]}" for outcome in violated[:5])


def test_nothing_is_violated(batch: Batch) -> None:
    """No promise is broken in the schedules of the first seeds."""
    assert batch.done == SAME
    assert not batch.violated, _told(batch.violated)


def test_nothing_is_violated_in_fresh_schedules() -> None:
    """No promise is broken in schedules that nobody has seen before; a seed that does can be told again."""
    fresh = play_many(random.SystemRandom().randrange(10**6, 10**9), FRESH, jobs=JOBS)
    assert not fresh.violated, _told(fresh.violated)


def test_the_schedules_come_to_everything(batch: Batch) -> None:
    """Every event, answer and fault that there is happens in the schedules of the first seeds."""
    assert not (EVENTS | ANSWERS | FATES) - set(batch.reached)
