"""Eats memory until the kernel ends it."""

import asyncio
from collections.abc import AsyncIterator

from dayfly.agents.sdk import AgentEvent, Answered, Delta, Thinking, Turn

MEAL_BYTES = 32 * 1024 * 1024


class Hungry:
    async def run(self, turn: Turn) -> AsyncIterator[AgentEvent]:
        yield Thinking("Eating.", 1)
        yield Delta("Munch")
        eaten: list[bytes] = []
        for number in range(200):
            # Written to, so that the pages are really there.
            eaten.append(bytes([number]) * MEAL_BYTES)
            await asyncio.sleep(0.02)
        yield Answered(f"Ate {len(eaten)} meals")


agent = Hungry
