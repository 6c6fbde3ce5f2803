"""The model adapters under test, each with what its provider's server puts on the wire.

Sources: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ConverseStream.html and
https://platform.openai.com/docs/api-reference/chat-streaming
"""

import json
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractContextManager, asynccontextmanager, contextmanager, nullcontext
from dataclasses import dataclass
from typing import Final

import boto3
from botocore.config import Config

from dayfly.agents.models.factory import Models
from tests.contract import bedrock_wire, event_stream, openai_wire
from tests.contract.event_stream import exception
from tests.contract.model_server import ModelServer, Reply, Request, model_server


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A tool call of a response; its arguments come in these pieces."""

    call_id: str
    name: str
    arguments: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """A whole response; its text comes in these pieces, then the call if there is one."""

    text: tuple[str, ...]
    call: Call | None = None
    input_tokens: int = 10
    output_tokens: int = 5


class Adapter(ABC):
    """One adapter whose provider is a server."""

    name: str
    setting: str
    path: str
    content_type: str

    @abstractmethod
    def models(self, url: str) -> AbstractContextManager[Models]:
        """Serves the setting from this server."""

    @abstractmethod
    def begun(self, *text: str) -> list[bytes]:
        """The frames of a response up to this text."""

    @abstractmethod
    def rest(self, response: Response) -> list[bytes]:
        """The frames behind the response's text."""

    @abstractmethod
    def failure(self, message: str) -> bytes:
        """The frame of a failure in the middle of a response."""

    @abstractmethod
    async def refuse(self, reply: Reply, status: int, message: str) -> None:
        """Answers a request with an error."""

    @abstractmethod
    def carries(self, request: Request, *, call_id: str, name: str, result: str) -> bool:
        """Whether the request gives the model this result of that call."""

    async def send(self, reply: Reply, *frames: bytes) -> None:
        """Begins a response and sends these frames of it."""
        await reply.begin(self.content_type)
        for frame in frames:
            await reply.send(frame)

    async def respond(self, reply: Reply, response: Response) -> None:
        """Answers a request with a whole response."""
        await self.send(reply, *self.begun(*response.text), *self.rest(response))
        await reply.end()

    @asynccontextmanager
    async def serve(self, *responses: Response) -> AsyncIterator[tuple[Models, ModelServer]]:
        """A server that gives these responses, and what serves the setting from it."""

        def answer(response: Response) -> "Answering":
            return Answering(self, response)

        async with model_server(*map(answer, responses)) as server:
            with self.models(server.url) as models:
                yield models, server


@dataclass(frozen=True, slots=True)
class Answering:
    """Gives one response."""

    adapter: Adapter
    response: Response

    async def __call__(self, reply: Reply) -> None:
        await self.adapter.respond(reply, self.response)


class Bedrock(Adapter):
    """Real botocore."""

    name = "bedrock"
    setting = "bedrock:anthropic.claude-sonnet-4-5-20250929-v1:0"
    path = "/model/anthropic.claude-sonnet-4-5-20250929-v1%3A0/converse-stream"
    content_type = event_stream.CONTENT_TYPE
    _ERRORS: Final = {403: "AccessDeniedException", 429: "ThrottlingException", 500: "InternalServerException"}

    @contextmanager
    def models(self, url: str) -> Iterator[Models]:
        client = boto3.client(
            "bedrock-runtime",
            region_name="eu-central-1",
            endpoint_url=url,
            aws_access_key_id="loopback",
            aws_secret_access_key="loopback",
            config=Config(retries={"total_max_attempts": 1}, read_timeout=20),
        )
        yield Models(bedrock=client)
        client.close()

    def begun(self, *text: str) -> list[bytes]:
        return [bedrock_wire.START, *(bedrock_wire.delta({"text": piece}) for piece in text)]

    def rest(self, response: Response) -> list[bytes]:
        call = response.call
        return [
            bedrock_wire.stop_block(),
            *(bedrock_wire.tool_use(call.name, *call.arguments, call_id=call.call_id) if call else ()),
            bedrock_wire.stop("tool_use" if call else "end_turn"),
            bedrock_wire.counted(response.input_tokens, response.output_tokens),
        ]

    def failure(self, message: str) -> bytes:
        return exception("modelStreamErrorException", message)

    async def refuse(self, reply: Reply, status: int, message: str) -> None:
        body = json.dumps({"message": message}).encode()
        await reply.whole(status, "application/json", body, x_amzn_ErrorType=self._ERRORS[status])

    def carries(self, request: Request, *, call_id: str, name: str, result: str) -> bool:
        messages = json.dumps(request.json()["messages"])
        return f'"toolUseId": "{call_id}", "name": "{name}"' in messages and f'"text": "{result}"' in messages


class OpenAI(Adapter):
    """The real client, with a base URL."""

    name = "openai"
    setting = "openai:llama3.2"
    path = "/v1/chat/completions"
    content_type = openai_wire.CONTENT_TYPE

    def models(self, url: str) -> AbstractContextManager[Models]:
        return nullcontext(Models(api_key="the-key", base_url=f"{url}/v1"))

    def begun(self, *text: str) -> list[bytes]:
        pieces = (openai_wire.chunk({"content": piece}) for piece in text)
        return [openai_wire.chunk({"role": "assistant", "content": ""}), *pieces]

    def rest(self, response: Response) -> list[bytes]:
        return [
            *(self._tool(response.call) if response.call else ()),
            openai_wire.chunk({}, "tool_calls" if response.call else "stop"),
            openai_wire.usage(response.input_tokens, response.output_tokens),
            openai_wire.DONE,
        ]

    def _tool(self, call: Call) -> Iterator[bytes]:
        yield openai_wire.tool_call(call.name, "", call.call_id)
        for piece in call.arguments:
            yield openai_wire.chunk({"tool_calls": [{"index": 0, "function": {"arguments": piece}}]})

    def failure(self, message: str) -> bytes:
        return openai_wire.data({"error": {"message": message, "type": "server_error"}})

    async def refuse(self, reply: Reply, status: int, message: str) -> None:
        body = json.dumps({"error": {"message": message}}).encode()
        await reply.whole(status, "application/json", body, retry_after_ms="1")

    def carries(self, request: Request, *, call_id: str, name: str, result: str) -> bool:
        messages = request.json()["messages"]
        assert isinstance(messages, list)
        calls = json.dumps(messages)
        return f'"name": "{name}"' in calls and {
            "role": "tool", "tool_call_id": call_id, "content": result,
        } in messages  # fmt: skip
