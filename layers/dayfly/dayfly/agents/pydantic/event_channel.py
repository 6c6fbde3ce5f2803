"""Hands events from the tasks of a run to its one reader, one at a time, and tells each giver when its event is taken.

An agent's loop and its tools run in tasks of their own; `Agent.run` is one iterator. A giver goes on only when its
event was taken, which is when the reader asks for the next one. That is what lets the engine commit in between.
"""

import asyncio
from collections.abc import AsyncIterator
from typing import Generic, TypeVar

T = TypeVar("T")


class EventChannel(Generic[T]):
    """For one run and one event loop."""

    def __init__(self) -> None:
        self._offers: asyncio.Queue[tuple[T, asyncio.Future[None]] | None] = asyncio.Queue()

    async def give(self, event: T) -> None:
        """Returns when the reader has taken the event and asks for the next."""
        taken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._offers.put_nowait((event, taken))
        await taken

    def close(self) -> None:
        """No more events will come. The reader's iteration ends behind those already offered."""
        self._offers.put_nowait(None)

    async def take(self) -> AsyncIterator[T]:
        """The events in the order in which they were given."""
        while (offer := await self._offers.get()) is not None:
            event, taken = offer
            if taken.cancelled():  # its giver is gone: what it announced will not happen
                continue
            yield event
            if not taken.done():
                taken.set_result(None)
