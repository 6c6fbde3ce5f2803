"""Takes as many steps as the text says, 0.3 s each, and lists them; goes on behind the steps that have ended."""

import asyncio
import re
from collections.abc import AsyncIterator

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
)


class Stepping:
    async def run(self, turn: Turn) -> AsyncIterator[AgentEvent]:
        number = re.search(r"\d+", turn.text)
        asked = [message for message in turn.resumed if isinstance(message, AssistantSaid) and message.calls]
        results = [message.content for message in turn.resumed if isinstance(message, ToolAnswered)]
        for step in range(len(results) + 1, (int(number.group()) if number else 20) + 1):
            call = ToolCall(f"step-{step}", "step", f'{{"number": {step}}}')
            if step > len(asked):
                yield Thinking(f"Taking step {step}.", step)
                yield Responded(AssistantSaid("", (call,)), 1, 1)
            yield ToolStarted(call.name, call.call_id, {"number": step})
            await asyncio.sleep(0.3)
            results.append(f"step {step}")
            yield ToolEnded(ToolAnswered(call.call_id, call.name, results[-1]), 300)
        text = ", ".join(results)
        if not (turn.resumed and turn.resumed[-1] == AssistantSaid(text)):
            yield Thinking("Listing the steps.", len(results) + 1)
            yield Delta(text)
            yield Responded(AssistantSaid(text), 1, 1)
        yield Answered(text)


agent = Stepping
