"""What servers of OpenAI's Chat Completions put on the wire.

Source: https://platform.openai.com/docs/api-reference/chat-streaming
"""

import json
from typing import Final

from pydantic import JsonValue

from tests.contract.scripted_model import Step, Streamed

CONTENT_TYPE: Final = "text/event-stream"
DONE: Final = b"data: [DONE]\n\n"
_COMPLETION: Final[dict[str, JsonValue]] = {
    "id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "llama3.2",
}  # fmt: skip


def data(value: JsonValue) -> bytes:
    """One event of the stream."""
    return b"data: " + json.dumps(value, ensure_ascii=False).encode() + b"\n\n"


def chunk(delta: JsonValue, finish: str | None = None, **more: JsonValue) -> bytes:
    """A piece of a response with one choice; `more` are further members of the chunk."""
    return data({**_COMPLETION, "choices": [{"index": 0, "delta": delta, "finish_reason": finish}], **more})


def counted(input_tokens: int, output_tokens: int, **more: JsonValue) -> dict[str, JsonValue]:
    """A `usage`."""
    total = input_tokens + output_tokens
    return {"prompt_tokens": input_tokens, "completion_tokens": output_tokens, "total_tokens": total, **more}


def usage(input_tokens: int, output_tokens: int) -> bytes:
    """The chunk behind the last choice, for those who asked for it."""
    return data({**_COMPLETION, "choices": [], "usage": counted(input_tokens, output_tokens)})


def tool_call(name: str, arguments: str, call_id: str = "call_1", index: int = 0) -> bytes:
    """A whole tool call in one chunk."""
    function: JsonValue = {"name": name, "arguments": arguments}
    return chunk({"tool_calls": [{"index": index, "id": call_id, "type": "function", "function": function}]})


def stream(*steps: Step, **headers: str) -> Streamed:
    """An answer of just these pieces."""
    return Streamed(CONTENT_TYPE, steps, headers)


def says(*text: str, finish: str = "stop") -> Streamed:
    """A whole response with this text."""
    return stream(*(chunk({"content": piece}) for piece in text), chunk({}, finish), usage(10, 5), DONE)


def calls(name: str, arguments: str, call_id: str = "call_1", *, text: str = "") -> Streamed:
    """A whole response that asks for one tool call."""
    before = (chunk({"content": text}),) if text else ()
    return stream(*before, tool_call(name, arguments, call_id), chunk({}, "tool_calls"), usage(10, 5), DONE)
