"""Shows all that a model and a tool may show, by the message: `retries=2 seconds=1 finish=length`. Each of its two
requests reasons, the first one fails so often before, its tool counts to three (and may do so again), and the answer
ends so."""

import asyncio
import re
from collections.abc import AsyncIterator
from typing import Final

from dayfly.agents.sdk import (
    AgentEvent,
    Answered,
    AssistantSaid,
    Delta,
    Finish,
    ReasoningDelta,
    Responded,
    Retrying,
    Thinking,
    ToolAnswered,
    ToolCall,
    ToolEnded,
    ToolProgress,
    ToolStarted,
    Turn,
)

PIECES: Final = 10
ANSWER: Final = "The answer is thirty-"
REST: Final = "nine."
COUNT: Final = ToolCall("count-1", "count", "{}")


class Pondering:
    async def run(self, turn: Turn) -> AsyncIterator[AgentEvent]:
        wanted = dict(re.findall(r"(\w+)=([\w.]+)", turn.text))
        seconds = float(wanted.get("seconds", 0))
        responses = [message for message in turn.resumed if isinstance(message, AssistantSaid)]
        if "Go on" in turn.text:
            yield Delta(REST)
            yield Responded(AssistantSaid(REST), 1, 1)
            yield Answered(REST)
            return
        if not responses:
            yield Thinking("Pondering.", 1)
            for retry in range(int(wanted.get("retries", 0))):
                yield ReasoningDelta("void thoughts ")
                yield Delta("void words ")
                yield Retrying("throttled" if retry % 2 == 0 else "cut_off", retry + 1, seconds)
                await asyncio.sleep(seconds)
            async for piece in _reasoned("one", seconds):
                yield piece
            yield Delta("Let me count.")
            yield Responded(AssistantSaid("Let me count.", (COUNT,)), 1, 1)
        if not any(isinstance(message, ToolAnswered) for message in turn.resumed):
            yield ToolStarted(COUNT.name, COUNT.call_id, {"to": 3})
            for number in range(1, 4):
                yield ToolProgress(COUNT.call_id, f"{number} of 3")
                await asyncio.sleep(seconds)
            yield ToolEnded(ToolAnswered(COUNT.call_id, COUNT.name, "counted"), round(3000 * seconds))
        finish = Finish(wanted.get("finish", "complete"))
        if len(responses) < 2:
            yield Thinking("Pondering once more.", 2)
            async for piece in _reasoned("two", seconds):
                yield piece
            yield Delta(ANSWER)
            yield Responded(AssistantSaid(ANSWER, finish=finish), 1, 1)
        yield Answered(ANSWER, finish)


async def _reasoned(name: str, seconds: float) -> AsyncIterator[AgentEvent]:
    """Thoughts that take twice so long."""
    for number in range(PIECES):
        yield ReasoningDelta(f"{name}.{number} ")
        await asyncio.sleep(2 * seconds / PIECES)


agent = Pondering
