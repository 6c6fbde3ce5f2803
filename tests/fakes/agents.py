"""Agents written in a test: async generators of what an agent yields."""

import asyncio
from collections.abc import AsyncIterator, Callable

from dayfly.agents.protocol import (
    AgentEvent,
    AgentRecipe,
    Answered,
    Delta,
    Responded,
    Thinking,
    ToolEnded,
    ToolStarted,
    Turn,
)
from dayfly.errors import UnknownAgent
from dayfly.runlog.messages import AssistantSaid, ToolAnswered, ToolCall

Script = Callable[[Turn], AsyncIterator[AgentEvent]]


class Scripted:
    """An agent that does what a generator function says."""

    def __init__(self, script: Script) -> None:
        self._script = script

    def run(self, turn: Turn) -> AsyncIterator[AgentEvent]:
        return self._script(turn)


class ScriptedAgents:
    """The installed agents by name."""

    def __init__(self, **scripts: Script) -> None:
        self.scripts = scripts

    def recipe(self, name: str) -> AgentRecipe:
        script = self.scripts.get(name)
        if script is None:
            raise UnknownAgent(f"There is no agent {name}.")
        return lambda: Scripted(script)


async def calculator(turn: Turn) -> AsyncIterator[AgentEvent]:
    """Calls one tool and tells its result in two pieces."""
    yield Thinking("Looking at the question.", 1)
    call = ToolCall("c-1", "calculate", '{"expression": "17 * 23"}')
    yield Responded(AssistantSaid("", (call,)), input_tokens=8, output_tokens=4)
    yield ToolStarted("calculate", "c-1", {"expression": "17 * 23"})
    yield ToolEnded(ToolAnswered("c-1", "calculate", "391"), 3)
    yield Thinking("Reading the result.", 2)
    yield Delta("The answer ")
    yield Delta("is 391.")
    yield Responded(AssistantSaid("The answer is 391."), input_tokens=12, output_tokens=4)
    yield Answered("The answer is 391.")


async def echo(turn: Turn) -> AsyncIterator[AgentEvent]:
    """Says back what the user said, and how many messages came before."""
    yield Thinking("Listening.", 1)
    text = f"{turn.text} ({len(turn.history)})"
    yield Delta(text)
    yield Responded(AssistantSaid(text))
    yield Answered(text)


async def silent(turn: Turn) -> AsyncIterator[AgentEvent]:
    """Says one word and then nothing for an hour."""
    yield Thinking("Waiting.", 1)
    yield Delta("Well…")
    await asyncio.sleep(3600)
    yield Answered("Too late.")
