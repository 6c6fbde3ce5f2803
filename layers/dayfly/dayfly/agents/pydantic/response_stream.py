"""From the library's stream of one response to the pieces that a client is shown."""

from pydantic_ai.messages import (
    AgentStreamEvent,
    PartDeltaEvent,
    PartStartEvent,
    TextPart,
    TextPartDelta,
    ThinkingPart,
    ThinkingPartDelta,
)

from dayfly.agents.sdk.protocol import Delta, ReasoningDelta
from dayfly.text import sanitize


class ResponseStream:
    """Turns the events of one response into pieces of the answer and of the model's reasoning."""

    def pieces(self, event: AgentStreamEvent) -> tuple[Delta | ReasoningDelta, ...]:
        """What there is to show of this event."""
        # The first piece of a part comes with its start.
        match event:
            case PartStartEvent(part=TextPart(content=text)) | PartDeltaEvent(delta=TextPartDelta(content_delta=text)):
                return (Delta(sanitize(text)),) if text else ()
            case PartStartEvent(part=ThinkingPart(content=text)):
                return (ReasoningDelta(sanitize(text)),) if text else ()
            case PartDeltaEvent(delta=ThinkingPartDelta(content_delta=text)):
                return (ReasoningDelta(sanitize(text)),) if text else ()
            case _:
                return ()
