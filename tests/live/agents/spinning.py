"""Never gives its event loop back, and the interpreter hardly ever, as a careless calculation does."""

import time
from collections.abc import AsyncIterator

from dayfly.agents.sdk import AgentEvent, Answered, Thinking, ToolAnswered, ToolEnded, ToolStarted, Turn


class Spinning:
    async def run(self, turn: Turn) -> AsyncIterator[AgentEvent]:
        yield Thinking("Calling a tool that never yields.", 1)
        yield ToolStarted("spin", "call-1", {"seconds": 60})
        until = time.monotonic() + 60
        while time.monotonic() < until:
            pass
        yield ToolEnded(ToolAnswered("call-1", "spin", "counted"), 60_000)
        yield Answered("Counted")


agent = Spinning
