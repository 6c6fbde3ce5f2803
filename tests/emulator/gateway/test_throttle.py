"""Token buckets of routes.

Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/websocket-api-protect.html
"""

from __future__ import annotations

from dataclasses import dataclass

from emulator.contract import Throttle, Throttling
from emulator.gateway.throttle import Throttles, TokenBucket


@dataclass
class Clock:
    """A clock that a test moves."""

    now: float = 100.0

    def __call__(self) -> float:
        """The present."""
        return self.now


def test_a_bucket_lets_a_burst_through_and_then_the_rate() -> None:
    """Two at once, then one for each half second, never more than the burst however long nothing came."""
    clock = Clock()
    bucket = TokenBucket(rate=2, burst=2, clock=clock)
    assert [bucket.take() for _ in range(3)] == [True, True, False]
    clock.now += 0.5
    assert [bucket.take() for _ in range(2)] == [True, False]
    clock.now += 3600
    assert [bucket.take() for _ in range(3)] == [True, True, False]


def test_each_route_has_a_bucket_of_its_own() -> None:
    """The stage's default figures hold for every route, but not for all together."""
    throttles = Throttles(Throttling(default=Throttle(rate=1, burst=1)), clock=Clock())
    assert [throttles.take(key) for key in ("a", "b", "a", "b")] == [True, True, False, False]


def test_a_routes_own_figures_win() -> None:
    """`RouteSettings` over `DefaultRouteSettings`, figure by figure."""
    throttling = Throttling(default=Throttle(rate=1, burst=1), routes={"a": Throttle(burst=2)})
    throttles = Throttles(throttling, clock=Clock())
    assert [throttles.take("a") for _ in range(3)] == [True, True, False]


def test_without_figures_nothing_is_throttled() -> None:
    """The account's quota is not kept; with a rate alone the account's burst holds."""
    assert all(Throttles(Throttling(), clock=Clock()).take("a") for _ in range(20_000))
    throttles = Throttles(Throttling(default=Throttle(rate=1)), clock=Clock())
    assert sum(throttles.take("a") for _ in range(6_000)) == 5_000
