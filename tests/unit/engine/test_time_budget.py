"""Whether another step fits: pure."""

import pytest

from dayfly.engine.time_budget import HEADROOM, MARGIN_S, TimeBudget
from tests.fakes.ports import ManualClock

HOUR = 3600.0


@pytest.fixture
def clock() -> ManualClock:
    """Time that a test moves; it does not begin at zero."""
    clock = ManualClock()
    clock.advance(1000)
    return clock


def budget(clock: ManualClock, lifetime_s: float, *, run_left_s: float = HOUR) -> TimeBudget:
    return TimeBudget(clock, deadline=clock.monotonic() + lifetime_s, run_left_s=run_left_s)


def test_the_first_step_of_an_attempt_always_fits(clock: ManualClock) -> None:
    """However little is left: another engine would have no more time for it. Only progress changes that."""
    short = budget(clock, 1.0)
    clock.advance(0.999)
    assert short.another_step_fits()
    assert short.another_step_fits()
    short.progress()
    assert not short.another_step_fits()


@pytest.mark.parametrize(
    ("lifetime", "longest", "left"), [(840.0, 100.0, HEADROOM * 100.0), (840.0, 1.0, MARGIN_S), (60.0, 1.0, 6.0)]
)
def test_a_step_fits_on_both_sides_of_what_it_may_take(
    clock: ManualClock, lifetime: float, longest: float, left: float
) -> None:
    """One and a half times the longest so far, no less than 30 s, no less than a tenth of a short engine's time."""
    times = budget(clock, lifetime)
    clock.advance(longest)
    times.progress()
    assert times.another_step_fits()
    end = clock.monotonic() + lifetime - longest
    while (rest := end - left - clock.monotonic()) > 0:
        clock.advance(min(longest, rest))
        assert times.another_step_fits()
    clock.advance(0.001)
    assert not times.another_step_fits()


def test_a_wait_before_the_step_counts(clock: ManualClock) -> None:
    """What is waited is not left for the step; an attempt without progress may wait all the same."""
    times = budget(clock, 840.0)
    assert times.another_step_fits(wait_s=839)
    times.progress()
    assert times.another_step_fits(wait_s=840 - MARGIN_S)
    assert not times.another_step_fits(wait_s=840 - MARGIN_S + 0.001)


def test_the_longest_step_counts(clock: ManualClock) -> None:
    """A short one after it makes nothing fit that did not."""
    times = budget(clock, 100.0)
    clock.advance(40)
    times.progress()
    assert times.another_step_fits()
    clock.advance(1)
    assert not times.another_step_fits()


@pytest.mark.parametrize(("lifetime", "run_left", "left"), [(10.0, 50.0, 10.0), (50.0, 10.0, 10.0), (50.0, -5.0, 0.0)])
def test_what_is_left_is_the_smaller(clock: ManualClock, lifetime: float, run_left: float, left: float) -> None:
    """Of the engine's time and the run's; never below zero."""
    times = budget(clock, lifetime, run_left_s=run_left)
    assert times.left_s == left
    clock.advance(left + 1)
    assert times.left_s == 0.0


def test_whose_time_is_up(clock: ManualClock) -> None:
    """At the engine's deadline another may go on; when the run's time is up, none may."""
    engine, run = budget(clock, 10.0, run_left_s=10.001), budget(clock, 10.0, run_left_s=10.0)
    clock.advance(10)
    assert not engine.run_is_over
    assert run.run_is_over
