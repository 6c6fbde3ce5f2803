"""A loop of its own, without pydantic-ai: "How far is 26.2 miles in km?".

`think` stands for a model, and could be a request to any: it is given the messages and answers with text or with tool
calls. `OwnLoop.run` is what any loop has to do: tell the engine of each step *before* what follows from it is done, and
go on from `turn.resumed`, where an earlier engine of the same run was lost or out of time.
"""

import json
import re
from collections.abc import AsyncIterator, Sequence
from uuid import uuid4

from dayfly.agents.sdk import (
    AgentEvent,
    Answered,
    AssistantSaid,
    Delta,
    Message,
    Responded,
    Thinking,
    ToolAnswered,
    ToolCall,
    ToolEnded,
    ToolOutcome,
    ToolStarted,
    Turn,
    UserSaid,
)

KILO = {"km": 1.0, "miles": 1.609344, "kg": 1.0, "pounds": 0.45359237}
KINDS = ({"km", "miles"}, {"kg", "pounds"})


def convert(value: float, unit: str, to: str) -> str:
    """Converts between units of length, or of weight. Raises `ValueError` where one can't become the other."""
    if not any({unit, to} <= kind for kind in KINDS):
        raise ValueError(f"{unit} can't be made {to}.")
    return f"{value * KILO[unit] / KILO[to]:.2f} {to}"


def think(messages: Sequence[Message]) -> AssistantSaid:
    """The model: the next response to the conversation."""
    last = messages[-1]
    if isinstance(last, ToolAnswered):
        return AssistantSaid(f"That is {last.content}." if last.outcome is ToolOutcome.OK else last.content)
    text = last.text if isinstance(last, UserSaid) else ""
    units = "|".join(KILO)
    asked = re.search(rf"(\d+(?:\.\d+)?) ({units}) (?:in|to) ({units})", text)
    if asked is None:
        return AssistantSaid(f"I convert between {', '.join(KILO)}: 5 miles in km?")
    arguments = {"value": float(asked[1]), "unit": asked[2], "to": asked[3]}
    return AssistantSaid("", (ToolCall(uuid4().hex, "convert", json.dumps(arguments)),))


class OwnLoop:
    """One agent for one run attempt."""

    async def run(self, turn: Turn) -> AsyncIterator[AgentEvent]:
        """Goes between model and tool until there is an answer."""
        said: list[Message] = [UserSaid(turn.text), *turn.resumed]
        while True:
            for call in _open_calls(said):
                # An earlier attempt may have begun this call. This tool may be carried out twice; where one may not,
                # `turn.in_doubt` names such calls, and `ToolOutcomeUnknown` raised at the very start ends the run.
                yield ToolStarted(call.name, call.call_id, json.loads(call.arguments))
                started = turn.clock.monotonic()
                result = _carried_out(call)
                yield ToolEnded(result, round((turn.clock.monotonic() - started) * 1000))
                said.append(result)
            if isinstance(answer := said[-1], AssistantSaid):
                yield Answered(answer.text)
                return
            yield Thinking("Looking for numbers and units.", 1 + sum(isinstance(one, AssistantSaid) for one in said))
            response = think([*turn.history, *said])
            if response.text:
                yield Delta(response.text)
            yield Responded(response)
            said.append(response)


def _open_calls(said: Sequence[Message]) -> list[ToolCall]:
    answered = {message.call_id for message in said if isinstance(message, ToolAnswered)}
    calls = [call for message in said if isinstance(message, AssistantSaid) for call in message.calls]
    return [call for call in calls if call.call_id not in answered]


def _carried_out(call: ToolCall) -> ToolAnswered:
    try:
        return ToolAnswered(call.call_id, call.name, convert(**json.loads(call.arguments)))
    except ValueError as error:
        return ToolAnswered(call.call_id, call.name, str(error), ToolOutcome.ERROR)


agent = OwnLoop
