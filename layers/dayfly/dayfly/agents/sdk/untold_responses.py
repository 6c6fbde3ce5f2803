"""The responses that an agent has not told of, though what it does follows from them: for the journal."""

import json
from collections.abc import Iterable

from pydantic import JsonValue

from dayfly.agents.sdk.protocol import (
    AgentEvent,
    Answered,
    Asked,
    Delta,
    Responded,
    Retrying,
    ToolEnded,
    ToolStarted,
)
from dayfly.log.messages import Answer, AssistantSaid, Message, ToolCall
from dayfly.log.redaction import redact


class UntoldResponses:
    """Follows one attempt's events, and says what the journal has to hold before each of them.

    A loop need not yield `Responded`. Then a tool's call, what it said before, and its answer stand in no response; but
    history and the next attempt are made of responses, so here are those that it would have told.

    Args:
        resumed: What earlier attempts of the run have left.
    """

    def __init__(self, resumed: Iterable[Message] = ()) -> None:
        self._asked_for: set[str] = set()
        self._said: list[str] = []
        self._last_text: str | None = None
        for message in resumed:
            if isinstance(message, AssistantSaid):
                self._told(message)

    def before(self, event: AgentEvent) -> AssistantSaid | Answer | None:
        """What the journal has to hold before this event is taken; `None` for most events."""
        match event:
            case Delta(text):
                self._said.append(text)
            case Retrying():
                self._said.clear()
            case Responded(message):
                self._told(message)
            case ToolStarted(name, call_id, parameters):
                return self._untold(ToolCall(call_id, name, _json_of(parameters)))
            case ToolEnded(answer):
                return self._untold(ToolCall(answer.call_id, answer.name, "{}"))
            case Asked(calls):
                called = (ToolCall(call.tool_call_id, call.tool_name, _json_of(call.parameters)) for call in calls)
                return self._untold(*called)
            case Answered(text, finish):
                # An empty answer takes nothing back of what was said.
                if text.strip() and (self._said or text != self._last_text):
                    return Answer(text, finish)
            case _:
                pass
        return None

    def _untold(self, *calls: ToolCall) -> AssistantSaid | None:
        """The response that asks for those of the calls that none has asked for, or that has said what was said."""
        new = tuple(call for call in calls if call.call_id not in self._asked_for)
        text = "".join(self._said)
        if not new and not text.strip():
            return None
        response = AssistantSaid(text, new)
        self._told(response)
        return response

    def _told(self, response: AssistantSaid) -> None:
        self._asked_for |= {call.call_id for call in response.calls}
        self._last_text = response.text
        self._said.clear()


def _json_of(parameters: dict[str, JsonValue]) -> str:
    """The parameters as JSON; as an event shows them, and without NaN, where they hold what JSON can not."""
    try:
        return json.dumps(parameters, ensure_ascii=False, allow_nan=False)
    except (TypeError, ValueError, RecursionError):
        shown = json.dumps(redact(parameters), ensure_ascii=False)
        return json.dumps(json.loads(shown, parse_constant=lambda _: None), ensure_ascii=False)
