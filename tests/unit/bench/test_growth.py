"""Whether a count grows faster than the events."""

import pytest

from bench.growth import MARK, TOLERANCE, Series, grows_faster, growth, steepest


def test_growing_as_the_events_do_is_allowed_up_to_the_tolerance() -> None:
    """At the tolerance it holds, beyond it not; it is the growth that counts, not the size."""
    assert not grows_faster((1000, 2200), (10, 20), tolerance=0.1)
    assert grows_faster((1000, 2201), (10, 20), tolerance=0.1)
    assert not grows_faster((3, 3, 3), (10, 20, 40), tolerance=0)
    assert grows_faster((100, 111), (9, 9), tolerance=0.1), "what must not grow at all"


def test_one_steep_step_is_enough() -> None:
    """What every run costs anyway hides a growth over the whole span, but not in its last step."""
    events = (10.0, 20.0, 40.0, 80.0)
    fixed_and_square = tuple(500 + each**2 / 4 for each in events)
    assert growth(fixed_and_square[0], fixed_and_square[-1]) < growth(events[0], events[-1])
    assert steepest(fixed_and_square, events) == pytest.approx(2100 / 900 / 2, rel=1e-6)
    assert not grows_faster(tuple(500 + each for each in events), events, tolerance=0)


def test_reading_all_that_came_before_at_each_event_is_found() -> None:
    """The growth that this is for is far beyond the tolerance."""
    events = (45.0, 85.0, 165.0, 325.0)
    assert grows_faster(tuple(each * (each + 1) / 2 for each in events), events, tolerance=TOLERANCE)


def test_nothing_counts_as_one() -> None:
    """A first page is no infinite growth."""
    assert growth(0, 3) == 3
    assert growth(0, 0) == 1


def test_sizes_have_to_match() -> None:
    """A count for each number of events."""
    with pytest.raises(ValueError, match="different sizes"):
        steepest((1, 2), (1, 2, 3))


def test_a_row_shows_all_sizes_and_judges_some() -> None:
    """What grows before the first judged size is shown, and allowed."""
    series = Series("bytes", (10, 900, 1000, 1010), (9, 9, 9, 9), judged_from=2)
    assert series.row() == ("bytes", 10, 900, 1000, 1010, 1.01, 1.0, 1.01, 1.01, "holds")
    assert not series.faster
    assert Series("bytes", (10, 900, 1000, 1010), (9, 9, 9, 9)).row()[-1] == MARK
