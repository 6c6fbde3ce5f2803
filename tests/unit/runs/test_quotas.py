"""How many runs a user may have at once and start within a minute: pure."""

from dataclasses import replace

import pytest

from dayfly.context.run_ref import RunRef
from dayfly.errors import QuotaExceeded
from dayfly.runs.quotas import ACTIVE_RUNS, WINDOW_MS, WINDOW_RUNS, given_back, taken
from dayfly.store.rows import QuotaRow, RunRow

NOW = 1_764_000_000_000
RUN = RunRow(
    ref=RunRef(user_id="u", tenant_id="o", thread_id="t", run_id="r-new"),
    request_id="q",
    agent_name="a",
    text="Hi",
    turn=1,
    admitted=NOW,
)


def quota(*, active: int = 0, count: int = 0, since_ms: int = 0) -> QuotaRow:
    """A quota with so many runs active and started in a window that opened so long ago."""
    runs = tuple(f"r-{number}" for number in range(active))
    return QuotaRow(user_id="u", version=7, active=runs, window_start=NOW - since_ms, window_count=count)


def test_a_users_first_run_makes_the_row() -> None:
    """It is the only one, in a window that opens now."""
    assert taken(None, RUN, now=NOW) == QuotaRow(
        user_id="u", version=1, active=("r-new",), window_start=NOW, window_count=1
    )


def test_a_run_is_counted_in_the_open_window() -> None:
    """It comes after those that are active; the version moves, the window stays."""
    before = quota(active=2, count=3, since_ms=10)
    assert taken(before, RUN, now=NOW) == replace(before, version=8, active=("r-0", "r-1", "r-new"), window_count=4)


@pytest.mark.parametrize(("since_ms", "start", "count"), [(WINDOW_MS - 1, NOW - WINDOW_MS + 1, 6), (WINDOW_MS, NOW, 1)])
def test_a_window_lasts_a_minute(since_ms: int, start: int, count: int) -> None:
    """The first run after it opens the next."""
    after = taken(quota(count=5, since_ms=since_ms), RUN, now=NOW)
    assert (after.window_start, after.window_count) == (start, count)


@pytest.mark.parametrize(
    ("active", "count", "since_ms", "refused"),
    [
        (ACTIVE_RUNS - 1, 0, 0, False),
        (ACTIVE_RUNS, 0, 0, True),
        (ACTIVE_RUNS, WINDOW_RUNS, WINDOW_MS, True),
        (0, WINDOW_RUNS - 1, 0, False),
        (0, WINDOW_RUNS, 0, True),
        (0, WINDOW_RUNS, WINDOW_MS - 1, True),
        (0, WINDOW_RUNS, WINDOW_MS, False),
    ],
)
def test_both_limits_are_kept(*, active: int, count: int, since_ms: int, refused: bool) -> None:
    """At the limit the next run is refused; one below, or in a new window, it is not."""
    before = quota(active=active, count=count, since_ms=since_ms)
    if refused:
        with pytest.raises(QuotaExceeded):
            taken(before, RUN, now=NOW)
    else:
        assert taken(before, RUN, now=NOW).active[-1] == "r-new"


def test_a_run_that_has_ended_is_given_back() -> None:
    """Its place is free again; what it counted in the window stays counted."""
    before = quota(active=3, count=3)
    assert given_back(before, "r-1") == replace(before, version=8, active=("r-0", "r-2"))


def test_to_give_back_twice_frees_one_place() -> None:
    """A run that is not active any more frees nobody else's place."""
    once = given_back(quota(active=2), "r-1")
    assert given_back(once, "r-1").active == once.active == ("r-0",)
