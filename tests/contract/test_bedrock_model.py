"""`MODEL=bedrock:…`: real botocore against a server that speaks the wire format of ConverseStream.

Source: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ConverseStream.html
"""

import asyncio
import json
import threading
import time
from collections.abc import Iterator

import boto3
import pytest
from botocore.config import Config
from mypy_boto3_bedrock_runtime import BedrockRuntimeClient
from pydantic import JsonValue

from dayfly.agents.models.factory import Models
from dayfly.agents.pydantic.agent import PydanticAgent
from dayfly.agents.pydantic.failures import ModelRefused
from dayfly.agents.sdk.definition import AgentDefinition
from dayfly.agents.sdk.protocol import AgentEvent, Answered, Delta, Responded, Thinking, ToolEnded, ToolStarted
from dayfly.agents.sdk.testing import ask
from dayfly.agents.tools import calculate
from dayfly.errors import ModelFailed
from dayfly.log.messages import AssistantSaid, ToolCall
from tests.contract.event_stream import CONTENT_TYPE, event, exception
from tests.contract.model_server import Reply, model_server
from tests.unit.agents.support import collect, turn

MODEL = "bedrock:anthropic.claude-sonnet-4-5-20250929-v1:0"
AGENT = AgentDefinition(instructions="Answer briefly.", tools=(calculate,))


def client_of(url: str) -> BedrockRuntimeClient:
    return boto3.client(
        "bedrock-runtime",
        region_name="eu-central-1",
        endpoint_url=url,
        aws_access_key_id="loopback",
        aws_secret_access_key="loopback",
        config=Config(retries={"total_max_attempts": 1}, read_timeout=20),
    )


def text_block(*pieces: str, place: int = 0) -> Iterator[bytes]:
    for piece in pieces:
        yield event("contentBlockDelta", {"contentBlockIndex": place, "delta": {"text": piece}})
    yield event("contentBlockStop", {"contentBlockIndex": place})


def tool_block(name: str, call_id: str, *pieces: str, place: int = 0) -> Iterator[bytes]:
    start: JsonValue = {"toolUse": {"toolUseId": call_id, "name": name}}
    yield event("contentBlockStart", {"contentBlockIndex": place, "start": start})
    for piece in pieces:
        yield event("contentBlockDelta", {"contentBlockIndex": place, "delta": {"toolUse": {"input": piece}}})
    yield event("contentBlockStop", {"contentBlockIndex": place})


def ending(reason: str, *, tokens: tuple[int, int] = (10, 5)) -> Iterator[bytes]:
    yield event("messageStop", {"stopReason": reason})
    usage: JsonValue = {"inputTokens": tokens[0], "outputTokens": tokens[1], "totalTokens": sum(tokens)}
    yield event("metadata", {"usage": usage, "metrics": {"latencyMs": 1}})


async def stream(reply: Reply, *frames: bytes) -> None:
    await reply.begin(CONTENT_TYPE)
    for frame in (event("messageStart", {"role": "assistant"}), *frames):
        await reply.send(frame)
    await reply.end()


async def test_text_and_a_tool_and_its_result() -> None:
    """Text streams, the tool runs, and the second request carries its toolResult; each response has its own usage."""

    async def asks(reply: Reply) -> None:
        frames = (
            *text_block("Let me ", "see. "),
            *tool_block("calculate", "tooluse_1", '{"expres', 'sion": "17 * 23"}', place=1),
            *ending("tool_use"),
        )
        await stream(reply, *frames)

    async def answers(reply: Reply) -> None:
        await stream(reply, *text_block("It is ", "391 ☀."), *ending("end_turn", tokens=(20, 7)))

    async with model_server(asks, answers) as server:
        client = client_of(server.url)
        transcript = await ask(AGENT, "What is 17 * 23?", model=MODEL, models=Models(bedrock=client))
        client.close()

    kinds = [type(one) for one in transcript.events]
    assert kinds == [
        *(Thinking, Delta, Delta, Responded, ToolStarted, ToolEnded),
        *(Thinking, Delta, Delta, Responded, Answered),
    ]
    first, last = (one for one in transcript.events if isinstance(one, Responded))
    call = ToolCall("tooluse_1", "calculate", '{"expression":"17 * 23"}')
    assert first.message == AssistantSaid("Let me see. ", (call,))
    assert (first.input_tokens, first.output_tokens) == (10, 5)
    assert (last.input_tokens, last.output_tokens) == (20, 7)
    assert transcript.events[-1] == Answered("It is 391 ☀.")
    assert [request.path for request in server.requests] == [
        "/model/anthropic.claude-sonnet-4-5-20250929-v1%3A0/converse-stream"
    ] * 2
    body = json.dumps(server.requests[1].json()["messages"])
    assert '"toolUseId": "tooluse_1", "name": "calculate"' in body
    assert '"toolResult"' in body
    assert '"391"' in body
    assert server.requests[0].json()["system"] == [{"text": "Answer briefly."}]


async def test_throttling_is_a_model_failure_that_may_pass() -> None:
    """A 429 gives ModelFailed, retryable, with a message that says nothing of the account."""

    async def throttles(reply: Reply) -> None:
        body = b'{"message": "Too many requests for account 123456789012"}'
        await reply.whole(429, "application/json", body, x_amzn_ErrorType="ThrottlingException")

    async with model_server(throttles) as server:
        client = client_of(server.url)
        with pytest.raises(ModelFailed) as failure:
            await ask(AGENT, "Hello", model=MODEL, models=Models(bedrock=client))
        client.close()
    assert str(failure.value) == "The model has too many requests at the moment."
    assert failure.value.retryable


async def test_a_refusal_is_final() -> None:
    """A 403 gives a failure that trying again does not help."""

    async def denies(reply: Reply) -> None:
        body = b'{"message": "You do not have access to the model"}'
        await reply.whole(403, "application/json", body, x_amzn_ErrorType="AccessDeniedException")

    async with model_server(denies) as server:
        client = client_of(server.url)
        with pytest.raises(ModelRefused) as failure:
            await ask(AGENT, "Hello", model=MODEL, models=Models(bedrock=client))
        client.close()
    assert not failure.value.retryable


async def test_an_exception_in_the_middle_of_the_stream() -> None:
    """What was said before it was streamed; then the model has failed."""

    async def breaks(reply: Reply) -> None:
        frames = (next(text_block("Half an ")), exception("modelStreamErrorException", "inner details"))
        await stream(reply, *frames)

    seen: list[AgentEvent] = []
    async with model_server(breaks) as server:
        client = client_of(server.url)
        with pytest.raises(ModelFailed) as failure:
            await collect(PydanticAgent(AGENT, Models(bedrock=client)(MODEL)).run(turn()), seen)
        client.close()
    assert Delta("Half an ") in seen
    assert "inner details" not in str(failure.value)


async def test_a_connection_that_breaks_off_is_a_model_failure() -> None:
    """The server goes away in the middle of a message."""

    async def vanishes(reply: Reply) -> None:
        await reply.begin(CONTENT_TYPE)
        await reply.send(event("messageStart", {"role": "assistant"})[:20])
        raise ConnectionAbortedError

    async with model_server(vanishes) as server:
        client = client_of(server.url)
        with pytest.raises(ModelFailed):
            await ask(AGENT, "Hello", model=MODEL, models=Models(bedrock=client))
        client.close()


async def test_cancelling_closes_the_connection_at_once() -> None:
    """A run cancelled while the model is silent in mid-stream closes its connection, though a thread was reading it."""
    silent, closed = asyncio.Event(), asyncio.Event()

    async def falls_silent(reply: Reply) -> None:
        await reply.begin(CONTENT_TYPE)
        await reply.send(event("messageStart", {"role": "assistant"}))
        await reply.send(next(text_block("Once ")))
        silent.set()
        await reply.closed()
        closed.set()

    async def read(agent: PydanticAgent) -> None:
        async for _ in agent.run(turn()):
            pass

    async with model_server(falls_silent) as server:
        client = client_of(server.url)
        reader = asyncio.create_task(read(PydanticAgent(AGENT, Models(bedrock=client)(MODEL))))
        await silent.wait()
        await asyncio.sleep(0.1)  # the first piece is read, the next read blocks in its thread
        started = time.perf_counter()
        reader.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reader
        async with asyncio.timeout(5):
            await closed.wait()
        took = time.perf_counter() - started
        client.close()
    assert took < 1, f"it took {took * 1000:.0f} ms"


async def test_cancelling_before_the_first_byte_does_not_wait_for_it() -> None:
    """A run cancelled while no response has begun ends at once; its connection closes when the response begins."""
    asked, go_on, closed = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def hesitates(reply: Reply) -> None:
        asked.set()
        await go_on.wait()
        await reply.begin(CONTENT_TYPE)
        await reply.send(event("messageStart", {"role": "assistant"}))
        await reply.closed()
        closed.set()

    async def read(agent: PydanticAgent) -> None:
        async for _ in agent.run(turn()):
            pass

    async with model_server(hesitates) as server:
        client = client_of(server.url)
        reader = asyncio.create_task(read(PydanticAgent(AGENT, Models(bedrock=client)(MODEL))))
        await asked.wait()
        started = time.perf_counter()
        reader.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reader
        took = time.perf_counter() - started
        go_on.set()
        async with asyncio.timeout(5):
            await closed.wait()
        client.close()
    assert took < 1, f"it took {took * 1000:.0f} ms"


async def test_no_thread_outlives_the_runs_event_loop() -> None:
    """A run on a loop of its own, as an engine has it, leaves no thread that read the stream."""

    async def answers(reply: Reply) -> None:
        await stream(reply, *text_block("Hi."), *ending("end_turn"))

    async with model_server(answers) as server:
        client = client_of(server.url)
        models = Models(bedrock=client)

        def run() -> tuple[str, set[str]]:
            before = set(threading.enumerate())
            answer = asyncio.run(ask(AGENT, "Hello", model=MODEL, models=models)).answer
            left = set(threading.enumerate()) - before
            for thread in left:
                thread.join(1)  # told to stop when the loop's last task was done
            return answer, {thread.name for thread in left if thread.is_alive()}

        assert await asyncio.to_thread(run) == ("Hi.", set())
        client.close()
