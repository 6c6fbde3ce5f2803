"""Order statistics."""

import pytest

from bench.summary import median, summary


def test_percentiles_are_samples_that_were_taken() -> None:
    """Nearest rank: no figure is made up between two samples."""
    taken = summary([float(n) for n in range(200, 0, -1)])
    assert (taken.n, taken.p50, taken.p99, taken.worst) == (200, 100.0, 198.0, 200.0)
    assert median([3.0, 1.0, 2.0]) == 2.0
    assert median([7.0]) == 7.0


def test_nothing_measured_is_no_figure() -> None:
    """Without samples there is no summary."""
    with pytest.raises(ValueError, match="no samples"):
        summary([])
