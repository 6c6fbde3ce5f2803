"""Says one word, then nothing for longer than any engine lives: a model that hangs."""

import asyncio
from collections.abc import AsyncIterator

from dayfly.agents.sdk import AgentEvent, Answered, Delta, Thinking, Turn


class Silent:
    async def run(self, turn: Turn) -> AsyncIterator[AgentEvent]:
        yield Thinking("Waiting.", 1)
        yield Delta("Wait")
        await asyncio.sleep(3600)
        yield Answered("Waited")


agent = Silent
