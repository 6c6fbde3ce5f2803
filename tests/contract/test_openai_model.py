"""`MODEL=openai:…` with a base URL: the real client against a server that speaks Chat Completions as a stream.

Source: https://platform.openai.com/docs/api-reference/chat-streaming
"""

import asyncio
import json
import threading
import time
from collections.abc import Iterator

import pytest
from pydantic import JsonValue

from dayfly.agents.models.factory import Models
from dayfly.agents.pydantic.agent import PydanticAgent
from dayfly.agents.pydantic.failures import ModelRefused
from dayfly.agents.sdk.definition import AgentDefinition
from dayfly.agents.sdk.protocol import Answered, Delta, Responded, Thinking, ToolEnded, ToolStarted
from dayfly.agents.sdk.testing import ask
from dayfly.agents.tools import calculate
from dayfly.errors import ModelFailed
from dayfly.log.messages import AssistantSaid, ToolCall
from tests.contract.model_server import ModelServer, Reply, model_server
from tests.unit.agents.support import turn

MODEL = "openai:llama3.2"
AGENT = AgentDefinition(instructions="Answer briefly.", tools=(calculate,))


def chunk(delta: dict[str, JsonValue], finish: str | None = None) -> bytes:
    choice: JsonValue = {"index": 0, "delta": delta, "finish_reason": finish}
    return _data({"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "llama3.2",
                  "choices": [choice]})  # fmt: skip


def usage(prompt: int, completion: int) -> bytes:
    counted: JsonValue = {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
    }
    return _data({"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "llama3.2",
                  "choices": [], "usage": counted})  # fmt: skip


def _data(value: dict[str, JsonValue]) -> bytes:
    return b"data: " + json.dumps(value, ensure_ascii=False).encode() + b"\n\n"


def text(*pieces: str) -> Iterator[bytes]:
    for piece in pieces:
        yield chunk({"content": piece})


def tool(name: str, call_id: str, *pieces: str) -> Iterator[bytes]:
    start: JsonValue = {"index": 0, "id": call_id, "type": "function", "function": {"name": name, "arguments": ""}}
    yield chunk({"tool_calls": [start]})
    for piece in pieces:
        part: JsonValue = {"index": 0, "function": {"arguments": piece}}
        yield chunk({"tool_calls": [part]})


async def stream(reply: Reply, *frames: bytes) -> None:
    await reply.begin("text/event-stream")
    for frame in (chunk({"role": "assistant", "content": ""}), *frames, b"data: [DONE]\n\n"):
        await reply.send(frame)
    await reply.end()


def models_of(server: ModelServer) -> Models:
    return Models(api_key="the-key", base_url=f"{server.url}/v1")


async def test_text_and_a_tool_and_its_result() -> None:
    """Text streams, the tool runs, and the second request carries its result; the key goes in the header."""

    async def asks(reply: Reply) -> None:
        call = tool("calculate", "call_1", '{"expres', 'sion":"17 * 23"}')
        await stream(reply, *text("Let me ", "see. "), *call, chunk({}, "tool_calls"), usage(10, 5))

    async def answers(reply: Reply) -> None:
        await stream(reply, *text("It is ", "391 ☀."), chunk({}, "stop"), usage(20, 7))

    async with model_server(asks, answers) as server:
        transcript = await ask(AGENT, "What is 17 * 23?", model=MODEL, models=models_of(server))

    kinds = [type(one) for one in transcript.events]
    assert kinds == [
        *(Thinking, Delta, Delta, Responded, ToolStarted, ToolEnded),
        *(Thinking, Delta, Delta, Responded, Answered),
    ]
    first, last = (one for one in transcript.events if isinstance(one, Responded))
    call = ToolCall("call_1", "calculate", '{"expression":"17 * 23"}')
    assert first.message == AssistantSaid("Let me see. ", (call,))
    assert (first.input_tokens, first.output_tokens) == (10, 5)
    assert (last.input_tokens, last.output_tokens) == (20, 7)
    assert transcript.events[-1] == Answered("It is 391 ☀.")
    assert [request.path for request in server.requests] == ["/v1/chat/completions"] * 2
    assert server.requests[0].headers["authorization"] == "Bearer the-key"
    messages = server.requests[1].json()["messages"]
    assert isinstance(messages, list)
    assert {"role": "tool", "tool_call_id": "call_1", "content": "391"} in messages


async def test_a_server_that_wants_no_key() -> None:
    """With a base URL and no key, such as Ollama, the model can be used."""

    async def answers(reply: Reply) -> None:
        await stream(reply, *text("Hi."), chunk({}, "stop"))

    async with model_server(answers) as server:
        transcript = await ask(AGENT, "Hello", model=MODEL, models=Models(base_url=f"{server.url}/v1"))
    assert transcript.answer == "Hi."


async def test_a_wrong_key_is_a_final_failure() -> None:
    """A 401 gives a failure that trying again does not help, and says nothing of the key."""

    async def denies(reply: Reply) -> None:
        await reply.whole(401, "application/json", b'{"error": {"message": "Incorrect API key: the-key"}}')

    async with model_server(denies) as server:
        with pytest.raises(ModelRefused) as failure:
            await ask(AGENT, "Hello", model=MODEL, models=models_of(server))
    assert "the-key" not in str(failure.value)
    assert not failure.value.retryable


async def test_nobody_listening_is_a_model_failure() -> None:
    """A refused connection, after the client's own retries, is a failure of the model that may pass."""
    async with model_server() as server:
        pass
    with pytest.raises(ModelFailed, match="connection"):
        await ask(AGENT, "Hello", model=MODEL, models=models_of(server))


async def test_cancelling_closes_the_connection_at_once() -> None:
    """A run cancelled while the model is silent in mid-stream closes its connection."""
    silent, closed = asyncio.Event(), asyncio.Event()

    async def falls_silent(reply: Reply) -> None:
        await reply.begin("text/event-stream")
        await reply.send(next(text("Once ")))
        silent.set()
        await reply.closed()
        closed.set()

    async def read(agent: PydanticAgent) -> None:
        async for _ in agent.run(turn()):
            pass

    async with model_server(falls_silent) as server:
        reader = asyncio.create_task(read(PydanticAgent(AGENT, models_of(server)(MODEL))))
        await silent.wait()
        await asyncio.sleep(0.05)  # the first piece is read, the next one awaited
        started = time.perf_counter()
        reader.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reader
        async with asyncio.timeout(5):
            await closed.wait()
        took = time.perf_counter() - started
    assert took < 1, f"it took {took * 1000:.0f} ms"


async def test_each_run_on_its_own_event_loop() -> None:
    """One factory serves runs on different loops, one after the other, as engines need it."""

    async def answers(reply: Reply) -> None:
        await stream(reply, *text("Hi."), chunk({}, "stop"))

    before = set(threading.enumerate())
    async with model_server(answers, answers) as server:
        models = models_of(server)

        def run() -> str:
            return asyncio.run(ask(AGENT, "Hello", model=MODEL, models=models)).answer

        assert [await asyncio.to_thread(run), await asyncio.to_thread(run)] == ["Hi.", "Hi."]
    left = {thread.name for thread in set(threading.enumerate()) - before if not thread.name.startswith("asyncio")}
    assert left == set()
