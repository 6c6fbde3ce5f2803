"""A sign of life while nothing else comes."""

import asyncio

from dayfly.engine.periodic_updates import PeriodicUpdateManager


async def beats(spoken: list[float], *, until: float) -> list[float]:
    """When beats come, for a run that says something at these times."""
    loop = asyncio.get_running_loop()
    heard: list[float] = []
    last = 0.0

    async def talk() -> None:
        nonlocal last
        for at in spoken:
            await asyncio.sleep(at - loop.time())
            last = loop.time()

    updates = PeriodicUpdateManager()
    beating = asyncio.create_task(
        updates.run(silent_since=lambda: last, now=loop.time, beat=lambda: heard.append(round(loop.time(), 3)))
    )
    await asyncio.gather(talk(), asyncio.sleep(until))
    beating.cancel()
    await asyncio.gather(beating, return_exceptions=True)
    return heard


async def test_silence_is_broken_every_five_seconds() -> None:
    """A silent run beats at 5, 10, 15 s."""
    assert await beats([], until=16) == [5, 10, 15]


async def test_a_run_that_speaks_does_not_beat() -> None:
    """While something comes every 4.9 s no beat is needed."""
    assert await beats([4.9, 9.8, 14.7], until=16) == []


async def test_the_five_seconds_count_from_the_last_word() -> None:
    """A beat comes 5 s after the last event, not on a fixed grid."""
    assert await beats([3.2], until=14) == [8.2, 13.2]
