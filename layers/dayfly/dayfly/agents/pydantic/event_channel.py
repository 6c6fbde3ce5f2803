"""Hands events from the tasks of a run to its one reader, one at a time."""

import asyncio
from collections.abc import AsyncIterator
from typing import Generic, TypeVar

T = TypeVar("T")


class EventChannel(Generic[T]):
    """Leads from an agent's loop and its tools, which run in tasks of their own, to the one iterator of `Agent.run`.

    A giver goes on only when its event is taken, which is when the reader asks for the next one: so the engine can
    commit in between. For one run and one event loop.
    """

    def __init__(self) -> None:
        self._offers: asyncio.Queue[tuple[T, asyncio.Future[None]] | None] = asyncio.Queue()

    async def give(self, event: T) -> None:
        """Gives the event, and returns when the reader asks for the next one."""
        taken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._offers.put_nowait((event, taken))
        await taken

    def close(self) -> None:
        """Ends the reader's iteration, behind the events that are already given."""
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
