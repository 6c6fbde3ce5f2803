"""Events handed over one at a time."""

import asyncio
from collections.abc import AsyncIterator

from dayfly.agents.pydantic.event_channel import EventChannel
from tests.unit.agents.support import run_ready_tasks


async def test_a_giver_goes_on_when_its_event_was_taken() -> None:
    """Taken means: the reader asks for the next one."""
    channel: EventChannel[str] = EventChannel()
    giver = asyncio.create_task(channel.give("a"))
    reader = channel.take()
    assert await anext(reader) == "a"
    await run_ready_tasks()
    assert not giver.done()
    following = asyncio.create_task(_next(reader))
    await giver
    channel.close()
    assert await following is None


async def test_events_come_in_the_order_in_which_they_were_given() -> None:
    """Several givers wait in line."""
    channel: EventChannel[int] = EventChannel()
    givers = [asyncio.create_task(channel.give(number)) for number in range(5)]
    await run_ready_tasks()
    channel.close()
    assert [number async for number in channel.take()] == [0, 1, 2, 3, 4]
    await asyncio.gather(*givers)


async def test_the_event_of_a_cancelled_giver_is_not_told() -> None:
    """What it announced will not happen."""
    channel: EventChannel[str] = EventChannel()
    gone, other = asyncio.create_task(channel.give("gone")), asyncio.create_task(channel.give("other"))
    await run_ready_tasks()
    gone.cancel()
    await run_ready_tasks()
    channel.close()
    assert [event async for event in channel.take()] == ["other"]
    await other


async def _next(reader: AsyncIterator[str]) -> str | None:
    return await anext(reader, None)
