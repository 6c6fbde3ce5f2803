"""Kills its own process in the middle of an answer, as the kernel does when memory runs out."""

import os
import signal
from collections.abc import AsyncIterator

from dayfly.agents.sdk import AgentEvent, Delta, Thinking, Turn


class Dying:
    async def run(self, turn: Turn) -> AsyncIterator[AgentEvent]:
        yield Thinking("Last words.", 1)
        yield Delta("Farewell")
        os.kill(os.getpid(), signal.SIGKILL)


agent = Dying
