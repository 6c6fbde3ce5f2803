"""Keeps the secrets that an agent or a tool has read out of what the agent yields, before it is written or shown."""

from collections.abc import Iterator
from dataclasses import replace

from pydantic import JsonValue

from dayfly.agents.sdk.protocol import (
    AgentEvent,
    Answered,
    Asked,
    Delta,
    OpenCall,
    ReasoningDelta,
    Responded,
    Thinking,
    ToolEnded,
    ToolProgress,
    ToolStarted,
)
from dayfly.log.messages import AssistantSaid
from dayfly.log.secret_values import RedactedStream, SecretValues


class EventRedaction:
    """Redacts one agent's events. Text that comes in pieces is held back as far as it may be the beginning of a secret,
    and no further than to the next event that is not text of the same kind."""

    def __init__(self, values: SecretValues) -> None:
        self._values = values
        self._stream = RedactedStream(values)
        self._kind: type[Delta | ReasoningDelta] = Delta

    def events(self, event: AgentEvent) -> Iterator[AgentEvent]:
        """What is to be emitted for this event: nothing, itself redacted, or before it what was held back."""
        if not isinstance(event, self._kind) and (rest := self._stream.rest()):
            yield self._kind(rest)
        if isinstance(event, Delta | ReasoningDelta):
            self._kind = type(event)
            # A piece that was empty from the start goes on as it is: it is no text that is held back.
            if (text := self._stream.take(event.text)) or not event.text:
                yield replace(event, text=text)
        else:
            yield self._redacted(event)

    def _redacted(self, event: AgentEvent) -> AgentEvent:
        redact = self._values.redact
        match event:
            case Thinking(reasoning):
                return replace(event, reasoning=redact(reasoning))
            case Responded(message):
                return replace(event, message=self._said(message))
            case ToolStarted(parameters=parameters):
                return replace(event, parameters=self._parameters(parameters))
            case ToolProgress(message=message):
                return replace(event, message=redact(message))
            case ToolEnded(answer):
                files = tuple(replace(file, name=redact(file.name), url=redact(file.url)) for file in answer.files)
                return replace(event, answer=replace(answer, content=redact(answer.content), files=files))
            case Answered(text):
                return replace(event, text=redact(text), output=event.output and self._parameters(event.output))
            case Asked(calls):
                return replace(event, calls=tuple(self._open(call) for call in calls))
        return event

    def _said(self, said: AssistantSaid) -> AssistantSaid:
        redact_json = self._values.redact_json_text
        calls = tuple(replace(call, arguments=redact_json(call.arguments)) for call in said.calls)
        state = said.state and replace(said.state, data=redact_json(said.state.data))
        return replace(said, text=self._values.redact(said.text), calls=calls, state=state)

    def _open(self, call: OpenCall) -> OpenCall:
        return replace(call, parameters=self._parameters(call.parameters))

    def _parameters(self, parameters: dict[str, JsonValue]) -> dict[str, JsonValue]:
        redacted = self._values.redact_json(parameters)
        assert isinstance(redacted, dict)  # noqa: S101  a dict in, a dict out
        return redacted
