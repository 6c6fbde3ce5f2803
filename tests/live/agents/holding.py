"""Has a tool that holds the interpreter for some seconds, as one bad regular expression does, and then another tool. An
attempt that finds the first one in doubt says so."""

import functools
import re
import time
from collections.abc import AsyncIterator
from typing import Final

from dayfly.agents.sdk import (
    AgentEvent,
    Answered,
    AssistantSaid,
    Delta,
    Responded,
    Thinking,
    ToolAnswered,
    ToolCall,
    ToolEnded,
    ToolStarted,
    Turn,
    run_in_thread,
)

HELD_S: Final = 2.5
"""Held for so many seconds of processor at least, and about twice as many at most."""


def matched(letters: int) -> float:
    """The seconds of processor that a match has taken, whose cost doubles with each letter. No other thread runs
    meanwhile."""
    began = time.thread_time()
    re.match(r"(a+)+$", "a" * letters + "b")
    return time.thread_time() - began


def letters_for(seconds: float) -> int:
    """As many as take so long, or a bit longer: tried out with fewer."""
    letters = 18
    while matched(letters) < seconds / 32:
        letters += 1
    return letters + 5


def hold(letters: int) -> str:
    """Holds the interpreter."""
    return f"{matched(letters):.0f} s"


def follow(letters: int) -> str:
    """Says that it was run."""
    print("followed", flush=True)
    return "followed"


class Holding:
    async def run(self, turn: Turn) -> AsyncIterator[AgentEvent]:
        said = f"In doubt: {', '.join(turn.in_doubt)}." if turn.in_doubt else "Both ran."
        if not turn.in_doubt:
            letters = letters_for(HELD_S)
            for step, tool in enumerate((hold, follow), 1):
                call = ToolCall(f"call-{step}", tool.__name__, "{}")
                yield Thinking("Calling a tool.", step)
                yield Responded(AssistantSaid("", (call,)), 1, 1)
                yield ToolStarted(call.name, call.call_id, {})
                result = await run_in_thread(functools.partial(tool, letters), name=call.name)
                yield ToolEnded(ToolAnswered(call.call_id, call.name, result), 0)
        yield Thinking("Telling what happened.", 3)
        yield Delta(said)
        yield Responded(AssistantSaid(said), 1, 1)
        yield Answered(said)


agent = Holding
