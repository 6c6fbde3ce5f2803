"""How a model's response ended: what each provider names it, as one of the protocol's closed set, or as a failure.

Sources of the names:
https://platform.openai.com/docs/api-reference/chat/streaming
https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_MessageStopEvent.html
https://docs.claude.com/en/api/handling-stop-reasons
https://ai.google.dev/api/generate-content#FinishReason
and, of servers that speak OpenAI's protocol, the documentation of DeepSeek, Mistral, Cohere, Zhipu, watsonx.ai, Hugging
Face's Text Generation Inference, vLLM, SGLang and Ollama.
"""

import dataclasses
import json
from typing import Final

from pydantic_ai.messages import FinishReason, ModelResponse, TextPart, ToolCallPart

from dayfly.agents.pydantic.failures.failures import ModelRefused
from dayfly.agents.pydantic.requests.text import is_blank
from dayfly.errors import ModelFailed
from dayfly.protocol.events import Finish, RetryReason

CUT_OFF: Final = "cut_off"
"""What this project's own readers of streams put in the place of an ending that did not come."""
REFUSAL: Final = "refusal"
"""What they put there where the model's refusal stands in a place of its own."""

_BROKEN: Final[dict[RetryReason, str]] = {
    "cut_off": "The model's answer broke off before it was whole.",
    "no_answer": "The model gave no answer.",
    "too_long": "The conversation is too long for the model.",
    "unavailable": "The model broke off its answer with an error.",
}


class ResponseBroken(ModelFailed):
    """A response that came without an error and is of no use. The same request may go better.

    Attributes:
        reason: What is wrong with it.
    """

    def __init__(self, reason: RetryReason) -> None:
        super().__init__(_BROKEN[reason])
        self.reason: RetryReason = reason


_NAMED: Final[dict[Finish | RetryReason, tuple[str, ...]]] = {
    Finish.COMPLETE: (
        *("stop", "tool_calls", "function_call"),
        *("end_turn", "tool_use", "stop_sequence"),
        *("eos", "eos_token", "endoftext", "end_of_text", "end_of_turn", "complete", "completed", "tool_call"),
    ),
    Finish.LENGTH: (
        *("length", "max_tokens", "model_length"),
        *("max_length", "max_output_tokens", "max_new_tokens", "token_limit", "output_limit"),
    ),
    Finish.CONTEXT_WINDOW: (
        *("model_context_window_exceeded", "context_window_exceeded", "context_length_exceeded", "context_length"),
        "error_limit",
    ),
    Finish.FILTERED: (
        *("content_filter", "content_filtered", "guardrail_intervened"),
        *("safety", "recitation", "blocklist", "prohibited_content", "spii", "model_armor"),
        *("image_safety", "image_prohibited_content", "image_recitation", "sensitive", "error_toxic"),
    ),
    Finish.REFUSED: (REFUSAL, "refused"),
    Finish.OTHER: ("pause_turn", "other", "language", "finish_reason_unspecified", "repetition_truncation"),
    "cut_off": (
        *(CUT_OFF, "abort", "aborted", "cancelled", "canceled", "user_cancel", "not_finished", "time_limit"),
        *("malformed_model_output", "malformed_tool_use", "malformed_function_call", "malformed_response"),
        *("function_call_filter: malformed_function_call", "function_call_filter: unexpected_tool_call"),
        *("unexpected_tool_call", "too_many_tool_calls", "missing_thought_signature"),
    ),
    "unavailable": ("error", "insufficient_system_resource", "network_error", "load", "timeout", "server_error"),
}
"""By what it comes to: how providers name an ending, in lower case. A failure is named by why the request is made
again."""

_ENDINGS: Final = {name: ending for ending, names in _NAMED.items() for name in names}

_LIBRARY: Final[dict[FinishReason, Finish | RetryReason]] = {
    "stop": Finish.COMPLETE,
    "tool_call": Finish.COMPLETE,
    "length": Finish.LENGTH,
    "content_filter": Finish.FILTERED,
    "error": "unavailable",
}

_CUT_SHORT: Final = frozenset({Finish.LENGTH, Finish.CONTEXT_WINDOW})
_HELD_BACK: Final = frozenset({Finish.FILTERED, Finish.REFUSED})


def finish_of(response: ModelResponse) -> Finish:
    """How this response ended, which has no thoughts in its text.

    A response without any text, and without a tool call, is no answer, whatever its ending.

    Raises:
        ResponseBroken: It is no whole response, or an empty one.
        ModelRefused: Nothing of an answer was let through, or a tool call was cut off: the same request ends alike.
    """
    ending = _ending(response)
    if not isinstance(ending, Finish):
        raise ResponseBroken(ending)
    calls = [part for part in response.parts if isinstance(part, ToolCallPart)]
    if calls and ending in _CUT_SHORT and not _whole(calls[-1]):
        raise ModelRefused("The model's answer was cut off in the middle of a tool call, at its limit of output.")
    if (calls and ending not in _HELD_BACK) or any(_is_said(part) for part in response.parts):
        return ending
    match ending:
        case Finish.FILTERED:
            raise ModelRefused("The model's provider filtered the answer.")
        case Finish.REFUSED:
            raise ModelRefused("The model declined to answer.")
        case Finish.LENGTH:
            raise ModelRefused("The model used up its output limit without an answer.")
        case Finish.CONTEXT_WINDOW:
            raise ResponseBroken("too_long")
        case _:
            raise ResponseBroken("no_answer")


def carried_out(response: ModelResponse, finish: Finish) -> ModelResponse:
    """The response as the loop goes on with it: no tool is called by one that was held back, for what is left of it is
    not what the model wanted to say."""
    if finish not in _HELD_BACK:
        return response
    parts = [part for part in response.parts if not isinstance(part, ToolCallPart)]
    return dataclasses.replace(response, parts=parts)


def _ending(response: ModelResponse) -> Finish | RetryReason:
    raw = (response.provider_details or {}).get("finish_reason")
    named = _ENDINGS.get(raw.strip().lower()) if isinstance(raw, str) else None
    if named is not None:
        return named
    if response.finish_reason is not None:
        return _LIBRARY[response.finish_reason]
    if raw:
        return Finish.OTHER
    # Each provider ends a response by saying how; models that are no server's, such as the scripted ones, do not.
    return "cut_off" if response.provider_name else Finish.COMPLETE


def _is_said(part: object) -> bool:
    return isinstance(part, TextPart) and not is_blank(part.content)


def _whole(call: ToolCallPart) -> bool:
    """Whether these arguments are an object, to its end."""
    if not isinstance(call.args, str):
        return call.args is not None
    try:
        return isinstance(json.loads(call.args), dict)
    except ValueError:
        return False
