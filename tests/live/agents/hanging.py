"""Stops its own process, which then runs into the function's time-out."""

import os
import signal
from collections.abc import AsyncIterator

from dayfly.agents.sdk import AgentEvent, Delta, Thinking, Turn


class Hanging:
    async def run(self, turn: Turn) -> AsyncIterator[AgentEvent]:
        yield Thinking("About to hang.", 1)
        yield Delta("Hang on")
        os.kill(os.getpid(), signal.SIGSTOP)


agent = Hanging
