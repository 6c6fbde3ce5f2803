"""What every model adapter does, whichever provider is behind it."""

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import pytest

from dayfly.agents.models.factory import DEMO, PROVIDERS, Models
from dayfly.agents.pydantic.agent import PydanticAgent
from dayfly.agents.pydantic.failures.failures import ModelRefused
from dayfly.agents.sdk import (
    AgentDefinition,
    AgentEvent,
    Answered,
    AssistantSaid,
    Delta,
    ModelFailed,
    Responded,
    Thinking,
    ToolCall,
    ToolEnded,
    ToolStarted,
)
from dayfly.agents.sdk.testing import ask
from dayfly.agents.tools import calculate
from tests.contract.all_model_adapters import ADAPTERS
from tests.contract.model_adapters import Adapter, Call, Response
from tests.contract.model_server import Reply, model_server
from tests.unit.agents.support import AT_ONCE, collect, events_of, turn

AGENT = AgentDefinition(instructions="Answer briefly.", tools=(calculate,))
QUESTION = "What is 17 * 23?"
ASKS = Response(
    text=("Let me ", "see. "), call=Call(call_id="call_1", name="calculate", arguments=('{"expres', 'sion":"17 * 23"}'))
)
ANSWERS = Response(text=("It is ", "391 ☀."), input_tokens=20, output_tokens=7)

Served = tuple[str, Models]
Serve = Callable[..., AbstractAsyncContextManager[Served]]


def at_once(adapter: Adapter, models: Models) -> PydanticAgent:
    """An agent that does not wait before it makes a request again."""
    return PydanticAgent(AGENT, models(adapter.setting), retries=AT_ONCE)


each_provider = pytest.mark.parametrize("adapter", ADAPTERS, ids=lambda adapter: adapter.name)


def from_server(adapter: Adapter) -> Serve:
    @asynccontextmanager
    async def serve(*responses: Response) -> AsyncIterator[Served]:
        async with adapter.serve(*responses) as (models, _):
            yield adapter.setting, models

    return serve


@asynccontextmanager
async def from_script(*responses: Response) -> AsyncIterator[Served]:
    """The demo model, which thinks of these responses, more or less, by itself."""
    del responses
    yield DEMO, Models()


each_model = pytest.mark.parametrize(
    "serve", [*(from_server(adapter) for adapter in ADAPTERS), from_script], ids=[*(one.name for one in ADAPTERS), DEMO]
)


def test_no_adapter_is_left_out() -> None:
    """Each provider that a setting can name is held to what follows."""
    assert {DEMO, *(adapter.setting.partition(":")[0] for adapter in ADAPTERS)} == set(PROVIDERS)


@each_model
async def test_a_tool_is_called_and_its_result_answered_with(serve: Serve) -> None:
    """Each response is the text that was streamed, and the last of them the answer."""
    async with serve(ASKS, ANSWERS) as (setting, models):
        transcript = await ask(AGENT, QUESTION, model=setting, models=models)
    assert [(call.tool_name, call.parameters) for call in transcript.calls] == [
        ("calculate", {"expression": "17 * 23"})
    ]
    assert [result.content for result in transcript.results] == ["391"]
    streamed = ""
    for event in transcript.events:
        if isinstance(event, Delta):
            streamed += event.text
        elif isinstance(event, Responded):
            assert event.message.text == streamed
            last, streamed = streamed, ""
    assert transcript.answer == last
    assert "391" in last


@each_model
async def test_each_run_may_have_an_event_loop_of_its_own(serve: Serve) -> None:
    """One factory serves runs on different loops, one after the other, as engines need it, and no thread outlives
    them."""
    async with serve(ASKS, ANSWERS, ASKS, ANSWERS) as (setting, models):

        def run() -> tuple[bool, set[str]]:
            before = set(threading.enumerate())
            answer = asyncio.run(ask(AGENT, QUESTION, model=setting, models=models)).answer
            left = set(threading.enumerate()) - before
            for thread in left:
                thread.join(1)  # told to stop when the loop's last task was done
            return "391" in answer, {thread.name for thread in left if thread.is_alive()}

        assert await asyncio.to_thread(run) == (True, set())
        assert await asyncio.to_thread(run) == (True, set())


@each_provider
async def test_text_and_a_tool_and_its_result(adapter: Adapter) -> None:
    """Text streams as it comes, the tool's arguments are put together, and the second request carries its result; each
    response has its own usage."""
    async with adapter.serve(ASKS, ANSWERS) as (models, server):
        transcript = await ask(AGENT, QUESTION, model=adapter.setting, models=models)
    assert [type(one) for one in transcript.events] == [
        *(Thinking, Delta, Delta, Responded, ToolStarted, ToolEnded),
        *(Thinking, Delta, Delta, Responded, Answered),
    ]
    first, last = (one for one in transcript.events if isinstance(one, Responded))
    (call_id,) = (call.call_id for call in first.message.calls)
    call = ToolCall(call_id, "calculate", '{"expression":"17 * 23"}')
    assert first == Responded(AssistantSaid("Let me see. ", (call,), state=first.message.state), 10, 5)
    assert last == Responded(AssistantSaid("It is 391 ☀."), 20, 7)
    assert transcript.events[-1] == Answered("It is 391 ☀.")
    assert [request.path for request in server.requests] == [adapter.path] * 2
    carried = [adapter.carries(one, call_id="call_1", name="calculate", result="391") for one in server.requests]
    assert carried == [False, True]


@each_provider
@pytest.mark.parametrize(
    ("status", "retryable", "told"),
    [
        (403, False, "credentials"),
        (429, True, "too many requests at the moment"),
        (500, True, "has a problem at the moment"),
    ],
)
async def test_a_refused_request(adapter: Adapter, status: int, told: str, *, retryable: bool) -> None:
    """Whether trying again may help follows from the status; what the provider says of an account stays inside. The
    client itself makes no request twice: the agent does."""

    async def refuses(reply: Reply) -> None:
        await adapter.refuse(reply, status, "no more for account 123456789012")

    async with model_server(otherwise=refuses) as server:
        with adapter.models(server.url) as models, pytest.raises(ModelFailed, match=told) as failure:
            await events_of(at_once(adapter, models))
    assert failure.value.retryable is retryable
    assert isinstance(failure.value, ModelRefused) is not retryable
    assert "123456789012" not in str(failure.value)
    assert len(server.requests) == (AT_ONCE.tries if retryable else 1)


@each_provider
async def test_a_failure_in_the_middle_of_a_response(adapter: Adapter) -> None:
    """What was said before it was streamed; then the model has failed, and its provider's details stay inside."""

    async def breaks(reply: Reply) -> None:
        await adapter.send(reply, *adapter.begun("Half an "), adapter.failure("inner details"))
        await reply.end()

    seen: list[AgentEvent] = []
    async with model_server(otherwise=breaks) as server:
        with adapter.models(server.url) as models, pytest.raises(ModelFailed) as failure:
            await collect(at_once(adapter, models).run(turn()), seen)
    assert Delta("Half an ") in seen
    assert "inner details" not in str(failure.value)


@each_provider
async def test_a_connection_that_breaks_off(adapter: Adapter) -> None:
    """In the middle of a frame: the model has failed."""

    async def vanishes(reply: Reply) -> None:
        await adapter.send(reply, adapter.begun()[0][:20])
        raise ConnectionAbortedError

    async with model_server(otherwise=vanishes) as server:
        with adapter.models(server.url) as models, pytest.raises(ModelFailed):
            await events_of(at_once(adapter, models))


@each_provider
async def test_nobody_listening(adapter: Adapter) -> None:
    """A refused connection is a failure of the model that may pass."""
    async with model_server() as server:
        pass
    with adapter.models(server.url) as models, pytest.raises(ModelFailed, match="could not be reached") as failure:
        await events_of(at_once(adapter, models))
    assert failure.value.retryable


async def _cancelled(agent: PydanticAgent, at: asyncio.Event) -> float:
    """Cancels a run of the agent at this moment. Returns how many seconds it took to end."""
    run = asyncio.create_task(collect(agent.run(turn()), []))
    await at.wait()
    started = time.perf_counter()
    run.cancel()
    with pytest.raises(asyncio.CancelledError):
        await run
    return time.perf_counter() - started


@each_provider
async def test_cancelling_closes_the_connection_at_once(adapter: Adapter) -> None:
    """A run that is cancelled while the model is silent in the middle of a response closes its connection."""
    silent, closed = asyncio.Event(), asyncio.Event()

    async def falls_silent(reply: Reply) -> None:
        await adapter.send(reply, *adapter.begun("Once "))
        await asyncio.sleep(0.1)  # the piece is read, and the next one awaited, maybe in a thread
        silent.set()
        await reply.closed()
        closed.set()

    async with model_server(falls_silent) as server:
        with adapter.models(server.url) as models:
            took = await _cancelled(PydanticAgent(AGENT, models(adapter.setting)), silent)
            started = time.perf_counter()
            async with asyncio.timeout(5):
                await closed.wait()
            took += time.perf_counter() - started
    assert took < 1, f"it took {took * 1000:.0f} ms"


@each_provider
async def test_cancelling_before_the_first_byte_does_not_wait_for_it(adapter: Adapter) -> None:
    """A run that is cancelled while no response has begun ends at once; its connection is closed when one begins, at
    the latest."""
    asked, go_on, closed = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def hesitates(reply: Reply) -> None:
        asked.set()
        await go_on.wait()
        try:
            await adapter.send(reply, adapter.begun()[0])
            await reply.closed()
        finally:  # the connection may be closed already: then nothing can be sent
            closed.set()

    async with model_server(hesitates) as server:
        with adapter.models(server.url) as models:
            took = await _cancelled(PydanticAgent(AGENT, models(adapter.setting)), asked)
            go_on.set()
            async with asyncio.timeout(5):
                await closed.wait()
    assert took < 1, f"it took {took * 1000:.0f} ms"
