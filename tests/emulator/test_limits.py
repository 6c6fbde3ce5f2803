"""Figures that a developer changes."""

from __future__ import annotations

from math import inf, nan

import pytest

from emulator.limits import checked


@pytest.mark.parametrize(("value", "whole"), [(1e-3, False), (86_400, False), (1, True), (2**31 - 1, True)])
def test_a_figure_within_its_bounds_is_taken(value: float, whole: bool) -> None:
    """Seconds up to a day, counts that fit 31 bits."""
    assert checked("n", value, whole=whole) == value


def test_a_count_is_an_int() -> None:
    """As JSON and the command line give it, it may be a float."""
    assert isinstance(checked("n", 5.0, whole=True), int)


@pytest.mark.parametrize(
    ("value", "whole"), [(0, False), (-1, True), (nan, False), (nan, True), (inf, False), (inf, True), (86_401, False),
                         (1e300, False), (1.5, True), (0.5, True), (2**31, True)]
)  # fmt: skip
def test_another_is_refused_by_its_name(value: float, whole: bool) -> None:
    """Nothing infinite, nothing that is no number, no half bytes."""
    with pytest.raises(ValueError, match="the limit n must be"):
        checked("n", value, whole=whole)
