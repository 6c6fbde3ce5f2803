"""Yields the least that the protocol has. "linger" has it stay behind its answer, "again" tell its thread's history."""

import asyncio
from collections.abc import AsyncIterator

from dayfly.agents.sdk import (
    AgentEvent,
    Answered,
    AssistantSaid,
    Delta,
    ToolAnswered,
    ToolEnded,
    ToolStarted,
    Turn,
)


class Terse:
    async def run(self, turn: Turn) -> AsyncIterator[AgentEvent]:
        if "again" in turn.text:
            yield Answered(" | ".join(_told(message) for message in turn.history))
            return
        yield Delta("Let me look. ")
        yield ToolStarted("look", "c-1", {"where": "out"})
        yield ToolEnded(ToolAnswered("c-1", "look", "rain"), 0)
        yield Answered("It rains.")
        if "linger" in turn.text:
            await asyncio.sleep(3600)


def _told(message: object) -> str:
    if isinstance(message, AssistantSaid):
        return f"assistant {message.text!r} {[(call.name, call.arguments) for call in message.calls]}"
    return f"tool {message.content!r}" if isinstance(message, ToolAnswered) else "user"


agent = Terse
