"""The HTTP client for servers of OpenAI's Chat Completions: whatever they stream, the library reads it as OpenAI would
have sent it."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Final

import httpx2
import openai

from dayfly.agents.models.openai_events import ChatBody

CHAT_PATH: Final = "/chat/completions"
USAGE_SECONDS: Final = 5.0
"""How long the usage may take that follows when the response has ended."""
CLOSING_SECONDS: Final = 0.5
"""How long the body's end may take when the server has said that nothing follows."""


def chat_http_client() -> httpx2.AsyncClient:
    """A client that reads chat completions as described above; for one event loop."""
    return openai.DefaultAsyncHttpxClient(event_hooks={"response": [_read_as_chat]})


async def _read_as_chat(response: httpx2.Response) -> None:
    if not response.is_success or not response.request.url.path.endswith(CHAT_PATH):
        return
    if not json.loads(response.request.content).get("stream"):
        return  # whoever asked for one body is given one
    assert isinstance(response.stream, httpx2.AsyncByteStream)  # noqa: S101  as of every asynchronous client
    sent = httpx2.Response(response.status_code, headers=response.headers, stream=response.stream)
    response.stream = ChatStream(sent)
    # The body is decoded by now, and has a length and a type of its own.
    for header in ("content-encoding", "content-length"):
        response.headers.pop(header, None)
    response.headers["content-type"] = "text/event-stream"


class ChatStream(httpx2.AsyncByteStream):
    """The body of a response, as `ChatBody` reads it."""

    def __init__(self, sent: httpx2.Response) -> None:
        self._sent = sent

    async def __aiter__(self) -> AsyncIterator[bytes]:
        body = ChatBody()
        pieces = self._sent.aiter_bytes()
        while not body.done and (data := await self._next(pieces, body)) is not None:
            for event in body.feed(data):
                yield event
        for event in body.end():
            yield event
        # A connection whose body was read to its end is used again.
        while await self._next(pieces, body) is not None:
            pass

    async def aclose(self) -> None:
        await self._sent.aclose()

    async def _next(self, pieces: AsyncIterator[bytes], body: ChatBody) -> bytes | None:
        """The next piece of the body; `None` when it is over, or when nothing that matters can come."""
        limit_s = CLOSING_SECONDS if body.done else USAGE_SECONDS if body.finished else None
        try:
            async with asyncio.timeout(limit_s):
                return await anext(pieces, None)
        except (httpx2.TransportError, TimeoutError):
            if limit_s is not None:
                return None
            raise
