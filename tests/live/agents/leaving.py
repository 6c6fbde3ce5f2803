"""Leaves the thread of a tool behind, or none, whichever way its run ends: answered, out of time, or with a log that
can't be reached any more."""

import asyncio
import time
from collections.abc import AsyncIterator

from dayfly.agents.sdk import AgentEvent, Answered, Thinking, Turn, run_in_thread
from dayfly.errors import Unsettled


class Leaving:
    async def run(self, turn: Turn) -> AsyncIterator[AgentEvent]:
        """The user says `<thread or nothing> <end>`."""
        left, end = turn.text.split()
        yield Thinking("Calling a tool that blocks.", 1)
        seconds = 60.0 if left == "thread" else 0.0
        call = asyncio.create_task(run_in_thread(lambda: time.sleep(seconds), name="block"))
        await asyncio.wait((call,), timeout=0.3)
        call.cancel()
        match end:
            case "answers":
                yield Answered("Done.")
            case "hangs":
                await asyncio.sleep(60)
            case _:
                raise Unsettled("the log could not be reached")


agent = Leaving
