"""What Anthropic's server puts on the wire.

Source: https://docs.claude.com/en/docs/build-with-claude/streaming and https://docs.claude.com/en/api/errors
"""

import json
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from typing import Final

from pydantic import JsonValue

from dayfly.agents.models.factory import Models
from tests.contract.model_adapters import Adapter, Call, Response
from tests.contract.model_server import Reply, Request

ERRORS: Final = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    429: "rate_limit_error",
    500: "api_error",
    529: "overloaded_error",
}


class Anthropic(Adapter):
    """The real client, with a base URL."""

    name = "anthropic"
    setting = "anthropic:claude-opus-4-6"
    path = "/v1/messages"
    content_type = "text/event-stream; charset=utf-8"

    def models(self, url: str) -> AbstractContextManager[Models]:
        return nullcontext(Models(keys={"anthropic": "the-key"}, base_urls={"anthropic": url}))

    def begun(self, *text: str) -> list[bytes]:
        return [
            message_start(),
            sse("ping", {}),
            *block_start(0, {"type": "text", "text": ""}),
            *(block_delta(0, {"type": "text_delta", "text": piece}) for piece in text),
        ]

    def rest(self, response: Response) -> list[bytes]:
        return [
            sse("content_block_stop", {"index": 0}),
            *(self._tool(response.call) if response.call else ()),
            *message_end(
                "tool_use" if response.call else "end_turn",
                {"input_tokens": response.input_tokens, "output_tokens": response.output_tokens},
            ),
        ]

    def _tool(self, call: Call) -> Iterator[bytes]:
        yield from block_start(1, {"type": "tool_use", "id": call.call_id, "name": call.name, "input": {}})
        yield block_delta(1, {"type": "input_json_delta", "partial_json": ""})
        for piece in call.arguments:
            yield block_delta(1, {"type": "input_json_delta", "partial_json": piece})
        yield sse("content_block_stop", {"index": 1})

    def failure(self, message: str) -> bytes:
        return sse("error", {"error": {"type": "overloaded_error", "message": message}})

    async def refuse(self, reply: Reply, status: int, message: str) -> None:
        body = {"type": "error", "error": {"type": ERRORS[status], "message": message}, "request_id": "req_1"}
        await reply.whole(status, "application/json", json.dumps(body).encode(), request_id="req_1")

    def carries(self, request: Request, *, call_id: str, name: str, result: str) -> bool:
        messages = json.dumps(request.json()["messages"])
        return f'"id": "{call_id}"' in messages and f'"tool_use_id": "{call_id}"' in messages and result in messages


def sse(kind: str, data: dict[str, JsonValue]) -> bytes:
    """One server-sent event."""
    return f"event: {kind}\ndata: {json.dumps({'type': kind, **data}, ensure_ascii=False)}\n\n".encode()


def message_start(usage: dict[str, JsonValue] | None = None) -> bytes:
    """The head of a response."""
    message: JsonValue = {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "claude-opus-4-6",
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": usage or {"input_tokens": 10, "output_tokens": 1},
    }
    return sse("message_start", {"message": message})


def block_start(index: int, block: dict[str, JsonValue]) -> Iterator[bytes]:
    """The head of one block of a response."""
    yield sse("content_block_start", {"index": index, "content_block": block})


def block_delta(index: int, delta: dict[str, JsonValue]) -> bytes:
    """A piece of a block."""
    return sse("content_block_delta", {"index": index, "delta": delta})


def message_end(stop_reason: str, usage: dict[str, JsonValue]) -> Iterator[bytes]:
    """The end of a response; its usage is the whole response's."""
    yield sse("message_delta", {"delta": {"stop_reason": stop_reason, "stop_sequence": None}, "usage": usage})
    yield sse("message_stop", {})
