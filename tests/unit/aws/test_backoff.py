"""How long is waited before the next attempt."""

import random

import pytest

from dayfly.aws.backoff import jittered


def test_the_bound_doubles_up_to_its_cap(monkeypatch: pytest.MonkeyPatch) -> None:
    """Anything from nothing to the bound, which doubles with each attempt."""
    drawn: list[tuple[float, float]] = []

    def draw(least: float, most: float) -> float:
        drawn.append((least, most))
        return most

    monkeypatch.setattr(random, "uniform", draw)
    assert [jittered(attempt, base=0.05, cap=1.0) for attempt in range(6)] == [0.05, 0.1, 0.2, 0.4, 0.8, 1.0]
    assert {least for least, _ in drawn} == {0}
