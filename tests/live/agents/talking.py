"""Talks for three seconds, some ten words a second."""

import asyncio
from collections.abc import AsyncIterator

from dayfly.agents.sdk import AgentEvent, Answered, Delta, Thinking, Turn

WORDS = [f"word{number} " for number in range(30)]


class Talking:
    async def run(self, turn: Turn) -> AsyncIterator[AgentEvent]:
        yield Thinking("Speaking.", 1)
        for word in WORDS:
            yield Delta(word)
            await asyncio.sleep(0.1)
        yield Answered("".join(WORDS))


agent = Talking
