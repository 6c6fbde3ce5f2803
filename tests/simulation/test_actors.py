"""Death and standstill are what they are for a process."""

import asyncio
from collections.abc import Iterator
from contextlib import suppress

import pytest

from tests.simulation.actors import Actor
from tests.simulation.loop import Caught, SimLoop
from tests.simulation.weather import Kind


@pytest.fixture
def loop() -> Iterator[SimLoop]:
    """A loop that is taken down in the end."""
    made = SimLoop()
    yield made
    made.raze()


def _actor(loop: SimLoop) -> Actor:
    return Actor(loop, "engine-1", Kind.ENGINE, skew_ms=250, subject="")


def test_nothing_of_a_dead_actor_runs_on(loop: SimLoop) -> None:
    """Once it is dead, no step of it is taken: no handler of a cancellation, no `finally`, no task of its own."""
    actor = _actor(loop)
    done: list[str] = []

    async def beside() -> None:
        await asyncio.sleep(2)
        done.append("beside")

    async def work() -> None:
        task = asyncio.create_task(beside())
        try:
            await asyncio.sleep(2)
        finally:
            done.append("finally")
        await task

    async def scenario() -> None:
        ended: list[Actor] = []
        actor.start(work(), ended.append)
        await asyncio.sleep(1)
        actor.die()
        assert ended == [actor]
        await asyncio.sleep(10)

    loop.play(scenario())
    assert done == []


def test_a_paused_actor_goes_on_where_it_stood(loop: SimLoop) -> None:
    """While it stands, time passes and nothing of it runs; then all that was due happens, in its order."""
    actor = _actor(loop)
    done: list[tuple[str, float]] = []

    async def work() -> None:
        for name in ("one", "two", "three"):
            await asyncio.sleep(1)
            done.append((name, loop.now))

    async def scenario() -> None:
        actor.start(work(), lambda ended: None)
        await asyncio.sleep(1.5)
        actor.pause(10)
        await asyncio.sleep(20)

    loop.play(scenario())
    assert done == [("one", 1.0), ("two", 11.5), ("three", 12.5)]


def test_what_an_actor_raises_is_noted(loop: SimLoop) -> None:
    """An exception ends the invocation, and no other."""
    actor = _actor(loop)

    async def work() -> None:
        raise ValueError("no")

    async def scenario() -> None:
        actor.start(work(), lambda ended: None)
        await asyncio.sleep(1)

    loop.play(scenario())
    assert isinstance(actor.error, ValueError)
    assert actor.finished


def test_what_outlives_an_actor_is_seen(loop: SimLoop) -> None:
    """A task that is left when the invocation has returned is one of its leftovers."""
    actor = _actor(loop)
    left: list[list[str]] = []

    async def forever() -> None:
        with suppress(asyncio.CancelledError):
            await asyncio.sleep(100)

    async def work() -> None:
        asyncio.ensure_future(forever())  # noqa: RUF006  that is the mistake

    async def scenario() -> None:
        actor.start(work(), lambda ended: left.append(ended.leftovers))
        await asyncio.sleep(1)

    loop.play(scenario())
    assert len(left) == 1
    assert left[0][0].endswith("forever")


def test_each_actor_has_its_own_wall_clock(loop: SimLoop) -> None:
    """Wall clocks differ by their skew; the monotonic clock is one."""
    right, wrong = Actor(loop, "a", Kind.ROUTER, skew_ms=0, subject=""), _actor(loop)
    assert wrong.now_ms() - right.now_ms() == 250
    assert wrong.monotonic() == right.monotonic() == 0.0


def test_a_deadlock_is_caught(loop: SimLoop) -> None:
    """Where nothing can go on any more, the schedule ends."""

    async def scenario() -> None:
        await asyncio.Event().wait()

    with pytest.raises(Caught):
        loop.play(scenario())
