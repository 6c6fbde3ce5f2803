"""Agents written in a test: async generators of what an agent yields."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

from dayfly.agents.sdk.protocol import (
    AgentEvent,
    AgentRecipe,
    Answered,
    Asked,
    Delta,
    OpenCall,
    Responded,
    Thinking,
    ToolEnded,
    ToolStarted,
    Turn,
)
from dayfly.errors import ToolOutcomeUnknown, UnknownAgent
from dayfly.log.messages import AssistantSaid, ToolAnswered, ToolCall, ToolOutcome

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


@dataclass(frozen=True)
class Round:
    """One request to the model: what it says, the tools it calls, and how long model and each tool take, in seconds.
    With `asks`, the tools need the user's approval."""

    text: str = ""
    calls: tuple[str, ...] = ()
    think_s: float = 0
    tool_s: float = 0
    asks: bool = False


class Programme:
    """An agent that goes through rounds, the last of which is the answer, and goes on where an earlier attempt got to.
    Each response counts 10 tokens in and 1 out."""

    def __init__(self, *rounds: Round, idempotent: bool = False) -> None:
        self.rounds = rounds
        self.idempotent = idempotent
        self.asked: list[int] = []
        """The rounds that the model was asked for, by all attempts."""
        self.ran: list[str] = []
        """The calls that ran to their end, by all attempts."""
        self.turns: list[Turn] = []

    def __call__(self, turn: Turn) -> AsyncIterator[AgentEvent]:
        self.turns.append(turn)
        return self._run(turn)

    async def _run(self, turn: Turn) -> AsyncIterator[AgentEvent]:
        if turn.in_doubt and not self.idempotent:
            raise ToolOutcomeUnknown("It may not run twice.")
        done = sum(isinstance(message, AssistantSaid) for message in turn.resumed)
        answered = {message.call_id for message in turn.resumed if isinstance(message, ToolAnswered)}
        decisions = {decision.call_id: decision for decision in turn.decisions}
        for place, one in enumerate(self.rounds):
            if place >= done:
                self.asked.append(place)
                yield Thinking("…", place + 1)
                if one.text:
                    yield Delta(one.text[: len(one.text) // 2])
                await asyncio.sleep(one.think_s)
                if one.text:
                    yield Delta(one.text[len(one.text) // 2 :])
                calls = tuple(ToolCall(call, "work", "{}") for call in one.calls)
                yield Responded(AssistantSaid(one.text, calls), input_tokens=10, output_tokens=1)
            open_calls = []
            for call in one.calls:
                if call in answered:
                    continue
                decision = decisions.get(call)
                if one.asks and decision is None:
                    open_calls.append(OpenCall("work", call, {}))
                elif decision is not None and not decision.approved:
                    denial = f"Denied: {decision.reason}"
                    yield ToolEnded(ToolAnswered(call, "work", denial, ToolOutcome.DENIED), 0)
                else:
                    yield ToolStarted("work", call, {})
                    await asyncio.sleep(one.tool_s)
                    self.ran.append(call)
                    yield ToolEnded(ToolAnswered(call, "work", f"{call} is done"), 1)
            if open_calls:
                yield Asked(tuple(open_calls))
                return
        yield Answered(self.rounds[-1].text)


def asking(*calls: str, answer: str = "It is done.") -> Programme:
    """An agent that asks for approval of these calls, and then answers."""
    return Programme(Round(calls=calls, asks=True), Round(answer))
