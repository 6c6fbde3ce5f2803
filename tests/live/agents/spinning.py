"""Never gives its event loop back, and the interpreter hardly ever, as a careless calculation does."""

import time
from collections.abc import AsyncIterator

from dayfly.agents.sdk.protocol import AgentEvent, Answered, Thinking, ToolEnded, ToolStarted, Turn
from dayfly.log.messages import ToolAnswered


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
