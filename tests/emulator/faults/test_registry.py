"""When faults strike, and when they end."""

from __future__ import annotations

import time

from emulator.faults.models import (
    DisconnectLost,
    EventDelayed,
    EventDuplicated,
    EventLost,
    InvocationKilled,
    PostDelayed,
    PostGone,
    PostThrottled,
)
from emulator.faults.registry import FaultRegistry


class Clock:
    """Seconds that pass when told to."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        """The time."""
        return self.now


async def test_a_fault_of_one_connection_strikes_it_alone_and_so_often() -> None:
    """Two posts to the connection are answered with 410, none to another, and the third one arrives."""
    registry = FaultRegistry([PostGone(connection="a", count=2)])
    assert [await registry.on_post(each) for each in ("b", "a", "a", "a")] == [None, "gone", "gone", None]
    assert registry.standing() == ()


async def test_without_count_and_duration_a_fault_strikes_once() -> None:
    """Any connection's first post is refused, no other."""
    registry = FaultRegistry([PostThrottled()])
    assert [await registry.on_post(each) for each in ("a", "b")] == ["throttled", None]


async def test_a_duration_ends_a_fault_however_often_it_struck() -> None:
    """For two seconds each post is refused, then none."""
    clock = Clock()
    registry = FaultRegistry([PostGone(duration_s=2.0)], clock=clock)
    assert [await registry.on_post("a") for _ in range(3)] == ["gone"] * 3
    clock.now += 2
    assert await registry.on_post("a") is None


async def test_of_count_and_duration_the_first_to_be_reached_ends_a_fault() -> None:
    """One of five strikes was used when the time was up."""
    clock = Clock()
    registry = FaultRegistry([PostGone(count=5, duration_s=2.0)], clock=clock)
    assert await registry.on_post("a") == "gone"
    assert [registry.remaining_s(entry) for entry in registry.standing()] == [2.0]
    clock.now += 3
    assert await registry.on_post("a") is None


async def test_the_oldest_of_several_faults_strikes_first() -> None:
    """410 was asked for first, 429 second."""
    registry = FaultRegistry([PostGone(), PostThrottled()])
    assert [await registry.on_post("a") for _ in range(3)] == ["gone", "throttled", None]


async def test_a_post_can_be_delayed_and_refused() -> None:
    """Latency and 429 fall together."""
    registry = FaultRegistry([PostDelayed(delay_s=0.05), PostThrottled()])
    before = time.monotonic()
    assert await registry.on_post("a") == "throttled"
    assert time.monotonic() - before >= 0.04  # the loop counts in milliseconds


def test_deliveries_of_events() -> None:
    """Lost, late, and twice: late and twice together are late twice."""
    registry = FaultRegistry(
        [EventLost(function="f"), EventDelayed(function="f", delay_s=3), EventDuplicated(after_s=1, count=2)]
    )
    assert registry.deliveries("f") == ()
    assert registry.deliveries("f") == (3.0, 4.0)
    assert registry.deliveries("f") == (0.0, 1.0)
    assert registry.deliveries("f") == (0.0,)


def test_lost_events_are_counted_by_function() -> None:
    """The first events of the named function are lost, the next ones and another function's are delivered once."""
    registry = FaultRegistry([EventLost(function="a", count=2)])
    assert [registry.deliveries("a") for _ in range(3)] == [(), (), (0.0,)]
    assert registry.deliveries("b") == (0.0,)


def test_disconnects_and_kills_have_their_own_faults() -> None:
    """A fault of one kind leaves the other kinds' steps alone."""
    registry = FaultRegistry([DisconnectLost(), InvocationKilled(after_s=0.5)])
    assert registry.deliveries("f") == (0.0,)
    assert [registry.loses_disconnect("a") for _ in range(2)] == [True, False]
    assert [registry.killed_after("f") for _ in range(2)] == [0.5, None]


async def test_faults_are_cleared_one_by_one_or_all() -> None:
    """A number ends one fault, none ends all; what was not there is not counted."""
    registry = FaultRegistry([PostGone(), PostThrottled(), EventLost()])
    first = registry.standing()[0]
    assert [registry.clear(first.number), registry.clear(first.number), registry.clear(), registry.clear()] == [
        1,
        0,
        2,
        0,
    ]
    assert await registry.on_post("a") is None
