"""Tells "chapters=N seconds=S": N model responses of S seconds each, each asking a tool for the next, and an end."""

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

PIECE_S = 0.1


class Chaptering:
    async def run(self, turn: Turn) -> AsyncIterator[AgentEvent]:
        wanted = dict(re.findall(r"(\w+)=([\d.]+)", turn.text))
        chapters, seconds = int(wanted.get("chapters", 3)), float(wanted.get("seconds", 1))
        told = sum(isinstance(message, AssistantSaid) and bool(message.calls) for message in turn.resumed)
        turned = sum(isinstance(message, ToolAnswered) for message in turn.resumed)
        for chapter in range(turned + 1, chapters + 1):
            call = ToolCall(f"page-{chapter}", "turn_page", "{}")
            if chapter > told:
                yield Thinking(f"Telling chapter {chapter}.", chapter)
                pieces = [f"Chapter {chapter}: ", *(f"{chapter}.{place} " for place in range(int(seconds / PIECE_S)))]
                for piece in pieces:
                    yield Delta(piece)
                    await asyncio.sleep(PIECE_S)
                yield Responded(AssistantSaid("".join(pieces), (call,)), 1, len(pieces))
            yield ToolStarted(call.name, call.call_id, {})
            yield ToolEnded(ToolAnswered(call.call_id, call.name, "next"), 0)
        text = f"The end, after {chapters} chapters."
        if not (turn.resumed and turn.resumed[-1] == AssistantSaid(text)):
            yield Thinking("Coming to the end.", chapters + 1)
            yield Delta(text)
            yield Responded(AssistantSaid(text), 1, 1)
        yield Answered(text)


agent = Chaptering
