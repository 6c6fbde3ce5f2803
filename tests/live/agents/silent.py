"""Says one word, then nothing for a minute: a model that hangs."""

import asyncio
from collections.abc import AsyncIterator

from dayfly.agents.protocol import AgentEvent, Answered, Delta, Thinking, Turn


class Silent:
    async def run(self, turn: Turn) -> AsyncIterator[AgentEvent]:
        yield Thinking("Waiting.", 1)
        yield Delta("Wait")
        await asyncio.sleep(60)
        yield Answered("Waited")


agent = Silent
