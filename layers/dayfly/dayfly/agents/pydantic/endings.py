"""How a model's response ended: what each provider names it, as one of the protocol's closed set."""

from typing import Final

from pydantic_ai.messages import FinishReason, ModelResponse

from dayfly.protocol.events import Finish

_FINISH: Final[dict[FinishReason, Finish]] = {
    "stop": Finish.COMPLETE,
    "tool_call": Finish.COMPLETE,
    "length": Finish.LENGTH,
    "content_filter": Finish.FILTERED,
    "error": Finish.OTHER,
}


def finish_of(response: ModelResponse) -> Finish:
    """How this response ended."""
    return _FINISH[response.finish_reason] if response.finish_reason else Finish.COMPLETE
