"""Between the neutral form of a conversation and pydantic-ai's."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Final, Literal

from pydantic_ai.messages import (
    ModelMessage,
    ModelRequest,
    ModelRequestPart,
    ModelResponse,
    ModelResponsePart,
    TextPart,
    ToolCallPart,
    ToolReturnPart,
    UserPromptPart,
)

from dayfly.agents.pydantic.requests.provider_state import response_of, state_of
from dayfly.agents.pydantic.requests.text import arguments_json
from dayfly.agents.pydantic.requests.tool_results import content_of, text_in
from dayfly.log.fold import UNANSWERED
from dayfly.log.messages import AssistantSaid, Message, ToolAnswered, ToolCall, ToolOutcome, UserSaid
from dayfly.text import sanitize

_OUTCOMES: Final[dict[ToolOutcome, Literal["success", "failed", "retried", "denied", "interrupted"]]] = {
    ToolOutcome.OK: "success",
    ToolOutcome.RETRY: "retried",
    ToolOutcome.ERROR: "failed",
    ToolOutcome.DENIED: "denied",
    ToolOutcome.UNANSWERED: "interrupted",
}
_NEUTRAL: Final[dict[str, ToolOutcome]] = {library: outcome for outcome, library in _OUTCOMES.items()}


def to_model_messages(messages: Iterable[Message], *, keep_open: frozenset[str] = frozenset()) -> list[ModelMessage]:
    """The messages for a model. Every tool call is followed by exactly one result, a synthetic one where there is none,
    because providers refuse a conversation with an open call. `keep_open` names calls of the last response that will be
    carried out yet."""
    requests: list[ModelMessage] = []
    parts: list[ModelRequestPart] = []
    open_calls: dict[str, ToolCall] = {}

    def close_open_calls(*, but: frozenset[str] = frozenset()) -> None:
        parts.extend(
            _tool_return(ToolAnswered(call.call_id, call.name, UNANSWERED, ToolOutcome.UNANSWERED))
            for call in open_calls.values()
            if call.call_id not in but
        )
        open_calls.clear()

    for message in messages:
        match message:
            case UserSaid(text=text):
                close_open_calls()
                parts.append(UserPromptPart(text))
            case ToolAnswered():
                if open_calls.pop(message.call_id, None) is not None:  # a result without its call is refused too
                    parts.append(_tool_return(message))
            case AssistantSaid():
                close_open_calls()
                requests.extend(_request(parts))
                parts = []
                # Two calls with one id cannot both have a result of their own: the last of them stands.
                open_calls = {call.call_id: call for call in message.calls}
                if message.text or open_calls:
                    requests.append(to_model_response(replace(message, calls=tuple(open_calls.values()))))
    close_open_calls(but=keep_open)
    requests.extend(_request(parts))
    return requests


def to_model_response(said: AssistantSaid) -> ModelResponse:
    """One response, as a model would have given it, with what its provider wants back."""
    parts: list[ModelResponsePart] = [TextPart(said.text)] if said.text else []
    parts.extend(ToolCallPart(call.name, call.arguments, call.call_id) for call in said.calls)
    response = ModelResponse(parts)
    return response_of(said.state, response) if said.state is not None else response


def from_model_response(response: ModelResponse) -> AssistantSaid:
    """The neutral form: text and tool calls. A model's hidden thoughts and its provider's details are no part of them:
    they are state, which nobody but the provider is given."""
    text = "".join(part.content for part in response.parts if isinstance(part, TextPart))
    calls = (
        ToolCall(part.tool_call_id, sanitize(part.tool_name), arguments_json(part.args))
        for part in response.parts
        if isinstance(part, ToolCallPart)
    )
    return AssistantSaid(sanitize(text), tuple(calls), state=state_of(response))


def from_model_messages(messages: Sequence[ModelMessage]) -> tuple[Message, ...]:
    """The neutral form of a conversation: what was said by either side, and what tools answered."""
    neutral: list[Message] = []
    for message in messages:
        if isinstance(message, ModelResponse):
            neutral.append(from_model_response(message))
            continue
        for part in message.parts:
            if isinstance(part, UserPromptPart):
                neutral.append(UserSaid(part.content if isinstance(part.content, str) else _spoken(part.content)))
            elif isinstance(part, ToolReturnPart):
                outcome = _NEUTRAL.get(part.outcome, ToolOutcome.ERROR)
                neutral.append(ToolAnswered(part.tool_call_id, part.tool_name, text_in(part), outcome))
    return tuple(neutral)


def _spoken(content: Sequence[object]) -> str:
    return " ".join(piece for piece in content if isinstance(piece, str))


def _tool_return(answer: ToolAnswered) -> ToolReturnPart:
    return ToolReturnPart(answer.name, content_of(answer), answer.call_id, outcome=_OUTCOMES[answer.outcome])


def _request(parts: list[ModelRequestPart]) -> list[ModelMessage]:
    return [ModelRequest(parts)] if parts else []
