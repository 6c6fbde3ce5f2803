"""Where a run stands."""

import pytest

from dayfly.runs.state import RunStatus
from dayfly.store.rows import Outcome


@pytest.mark.parametrize("outcome", list(Outcome))
@pytest.mark.parametrize("queued", [True, False])
def test_an_outcome_is_the_status(outcome: Outcome, *, queued: bool) -> None:
    """An ended run's status is its outcome, wherever the thread still names it."""
    assert status_of(outcome=outcome, queued=queued) == outcome.value


def test_a_run_without_an_outcome_is_queued_or_running() -> None:
    """Without a terminal event the queue decides."""
    assert status_of(outcome=None, queued=True) is RunStatus.QUEUED
    assert status_of(outcome=None, queued=False) is RunStatus.RUNNING
