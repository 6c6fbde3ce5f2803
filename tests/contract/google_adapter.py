"""What the Gemini API's server puts on the wire.

Source: https://ai.google.dev/api/generate-content
"""

import json
from contextlib import AbstractContextManager, nullcontext
from typing import Final

from pydantic import JsonValue

from dayfly.agents.models.factory import Models
from tests.contract.model_adapters import Adapter, Call, Response
from tests.contract.model_server import Reply, Request

_STATUS: Final = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    429: "RESOURCE_EXHAUSTED",
    500: "INTERNAL",
    503: "UNAVAILABLE",
}


class Google(Adapter):
    """The real client, with a base URL."""

    name = "google"
    setting = "google:gemini-2.5-flash"
    path = "/v1beta/models/gemini-2.5-flash:streamGenerateContent?alt=sse"
    content_type = "text/event-stream"

    def models(self, url: str) -> AbstractContextManager[Models]:
        return nullcontext(Models(keys={"google": "the-key"}, base_urls={"google": url}))

    def begun(self, *text: str) -> list[bytes]:
        # A response has no head of its own; the pieces' shape is the same from the first to the last.
        return [chunk([{"text": piece}]) for piece in text or ("",)]

    def rest(self, response: Response) -> list[bytes]:
        usage: JsonValue = {
            "promptTokenCount": response.input_tokens,
            "candidatesTokenCount": response.output_tokens,
            "totalTokenCount": response.input_tokens + response.output_tokens,
        }
        parts: list[JsonValue] = [self._tool(response.call)] if response.call else []
        return [chunk(parts, finish="STOP", usage=usage)]

    def _tool(self, call: Call) -> JsonValue:
        return {"functionCall": {"id": call.call_id, "name": call.name, "args": json.loads("".join(call.arguments))}}

    def failure(self, message: str) -> bytes:
        return _data({"error": {"code": 500, "message": message, "status": "INTERNAL"}})

    async def refuse(self, reply: Reply, status: int, message: str) -> None:
        error: JsonValue = {"code": status, "message": message, "status": _STATUS[status]}
        await reply.whole(status, "application/json", json.dumps({"error": error}).encode())

    def carries(self, request: Request, *, call_id: str, name: str, result: str) -> bool:
        contents = json.dumps(request.json()["contents"])
        return f'"functionResponse": {{"id": "{call_id}", "name": "{name}"' in contents and result in contents


def chunk(parts: list[JsonValue], *, finish: str | None = None, usage: JsonValue = None) -> bytes:
    """One piece of a response."""
    candidate: dict[str, JsonValue] = {"content": {"parts": parts, "role": "model"}, "index": 0}
    if finish is not None:
        candidate["finishReason"] = finish
    body: dict[str, JsonValue] = {"candidates": [candidate], "modelVersion": "gemini-2.5-flash", "responseId": "r-1"}
    if usage is not None:
        body["usageMetadata"] = usage
    return _data(body)


def _data(value: JsonValue) -> bytes:
    return b"data: " + json.dumps(value, ensure_ascii=False).encode() + b"\r\n\r\n"
