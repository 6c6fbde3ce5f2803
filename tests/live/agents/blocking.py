"""Blocks its whole event loop for a minute, as a careless tool does."""

import time
from collections.abc import AsyncIterator

from dayfly.agents.sdk import AgentEvent, Answered, Thinking, ToolAnswered, ToolEnded, ToolStarted, Turn


class Blocking:
    async def run(self, turn: Turn) -> AsyncIterator[AgentEvent]:
        yield Thinking("Calling a tool that blocks.", 1)
        yield ToolStarted("block", "call-1", {"seconds": 60, "api_key": "never-shown"})
        time.sleep(60)  # noqa: ASYNC251  the fault under test
        yield ToolEnded(ToolAnswered("call-1", "block", "unblocked"), 60_000)
        yield Answered("Unblocked")


agent = Blocking
