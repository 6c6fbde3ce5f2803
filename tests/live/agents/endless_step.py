"""Makes one model request whose answer never ends: a step that fits in no engine's time."""

import asyncio
import itertools
from collections.abc import AsyncIterator

from dayfly.agents.sdk import AgentEvent, Delta, Thinking, Turn


class EndlessStep:
    async def run(self, turn: Turn) -> AsyncIterator[AgentEvent]:
        yield Thinking("Beginning what has no end.", 1)
        for number in itertools.count(1):
            yield Delta(f"word{number} ")
            await asyncio.sleep(0.1)


agent = EndlessStep
