"""Which failures of a model's server are met by another request, and what comes of them."""

import asyncio
import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import pytest

from dayfly.agents.models.factory import Models
from dayfly.agents.pydantic.agent import PydanticAgent
from dayfly.agents.pydantic.failures.retries import RetryPolicy
from dayfly.agents.pydantic.failures.stall_watch import StallLimits
from dayfly.agents.sdk import (
    AgentDefinition,
    AgentEvent,
    Answered,
    Delta,
    ModelFailed,
    Responded,
    Retrying,
    Thinking,
    ToolEnded,
    ToolStarted,
)
from dayfly.agents.tools import calculate
from dayfly.log.messages import AssistantSaid, UserSaid
from tests.contract import bedrock_wire, openai_wire
from tests.contract.model_adapters import Bedrock, OpenAI
from tests.contract.model_server import Answer
from tests.contract.provider_failures import (
    BEDROCK_PASSES,
    BEDROCK_STAYS,
    BEDROCK_TOO_LONG,
    HALF,
    HALF_SAID,
    OPENAI_PASSES,
    OPENAI_STAYS,
    OPENAI_TOO_LONG,
    converse_error,
    openai_error,
)
from tests.contract.scripted_model import Ends, ScriptedModel, Step, Streamed, scripted_model
from tests.unit.agents.support import AT_ONCE, collect, events_of, kinds, turn

AGENT: Final = AgentDefinition(instructions="Answer briefly.", tools=(calculate,))
HELLO: Final = openai_wire.says("Hello.")


@contextmanager
def openai_agent(
    *answers: Answer, retries: RetryPolicy = AT_ONCE, stalls: StallLimits | None = None
) -> Iterator[tuple[PydanticAgent, ScriptedModel]]:
    with scripted_model(*answers) as server, OpenAI().models(server.url) as models:
        yield PydanticAgent(AGENT, models(OpenAI.setting), retries=retries, stalls=stalls or StallLimits()), server


@contextmanager
def bedrock_agent(*answers: Answer, stalls: StallLimits | None = None) -> Iterator[tuple[PydanticAgent, ScriptedModel]]:
    with scripted_model(*answers) as server, Bedrock().models(server.url) as models:
        yield PydanticAgent(AGENT, models(Bedrock.setting), retries=AT_ONCE, stalls=stalls or StallLimits()), server


def retries_of(events: list[AgentEvent]) -> list[Retrying]:
    return [event for event in events if isinstance(event, Retrying)]


@pytest.mark.parametrize(("failure", "reason"), OPENAI_PASSES.values(), ids=OPENAI_PASSES)
async def test_what_may_pass_is_tried_again(failure: Answer, reason: str) -> None:
    """With the next request the answer comes; the step is announced once, and the failed try's text is void."""
    with openai_agent(failure, HELLO) as (agent, server):
        events = await events_of(agent)
    assert [(one.reason, one.retry) for one in retries_of(events)] == [(reason, 1)]
    assert kinds(events).count(Thinking) == 1
    assert kinds(events)[kinds(events).index(Retrying) + 1 :] == [Delta, Responded, Answered]
    assert events[-1] == Answered("Hello.")
    assert len(server.requests) == 2
    if reason != "too_long":
        assert server.bodies[0] == server.bodies[1]


@pytest.mark.parametrize(("failure", "words"), OPENAI_STAYS.values(), ids=OPENAI_STAYS)
async def test_what_does_not_pass_ends_at_once(failure: Answer, words: str) -> None:
    """After one request, as a failure that trying again does not help."""
    with openai_agent(failure) as (agent, server), pytest.raises(ModelFailed, match=words) as failed:
        await events_of(agent)
    assert not failed.value.retryable
    assert len(server.requests) == 1


@pytest.mark.parametrize(("failure", "reason"), BEDROCK_PASSES.values(), ids=BEDROCK_PASSES)
async def test_what_may_pass_at_bedrock_is_tried_again(failure: Answer, reason: str) -> None:
    """Likewise, through real botocore, which repeats nothing itself."""
    with bedrock_agent(failure, bedrock_wire.says("Hello.")) as (agent, server):
        events = await events_of(agent)
    assert [(one.reason, one.retry) for one in retries_of(events)] == [(reason, 1)]
    assert events[-1] == Answered("Hello.")
    assert len(server.requests) == 2


@pytest.mark.parametrize(("failure", "words"), BEDROCK_STAYS.values(), ids=BEDROCK_STAYS)
async def test_what_does_not_pass_at_bedrock_ends_at_once(failure: Answer, words: str) -> None:
    """After one request; a quota of the account is not raised by waiting."""
    with bedrock_agent(failure) as (agent, server), pytest.raises(ModelFailed, match=words) as failed:
        await events_of(agent)
    assert not failed.value.retryable
    assert len(server.requests) == 1


async def test_tries_are_bounded() -> None:
    """A server that is down for ever is asked four times, and the failure may be tried again by its user."""
    down = openai_error(503, "down")
    seen: list[AgentEvent] = []
    with openai_agent(*[down] * 9) as (agent, server), pytest.raises(ModelFailed, match="not available") as failed:
        await collect(agent.run(turn()), seen)
    assert failed.value.retryable
    assert [one.retry for one in retries_of(seen)] == [1, 2, 3]
    assert len(server.requests) == 4


async def test_retry_after_is_waited_for() -> None:
    """The second request comes no earlier than the server has asked for."""
    busy = openai_error(429, "slow down", "rate_limit_exceeded", None, Retry_After="1")
    with openai_agent(busy, HELLO) as (agent, _):
        started = time.perf_counter()
        events = await events_of(agent)
        took = time.perf_counter() - started
    assert retries_of(events) == [Retrying("throttled", 1, 1.0)]
    assert took >= 1


async def test_a_wait_of_an_hour_ends_at_once() -> None:
    """As retryable, and the user is told when."""
    busy = openai_error(429, "slow down", "rate_limit_exceeded", None, Retry_After="3600")
    with openai_agent(busy) as (agent, server), pytest.raises(ModelFailed) as failed:
        await events_of(agent)
    assert str(failed.value) == (
        "The model has too many requests at the moment. Its provider asks to try again in 60 minutes."
    )
    assert failed.value.retryable
    assert len(server.requests) == 1


async def test_tools_of_earlier_steps_do_not_run_again() -> None:
    """A failure in the third request repeats that one: with the results of both tools, each of which ran once."""
    first = openai_wire.calls("calculate", '{"expression": "2 + 2"}', "call_a")
    second = openai_wire.calls("calculate", '{"expression": "4 * 4"}', "call_b")
    broken = openai_wire.stream(HALF, Ends.DROPPED)
    with openai_agent(first, second, broken, openai_error(503, "down"), openai_wire.says("16.")) as (agent, server):
        events = await events_of(agent)
    assert len({one.tool_call_id for one in events if isinstance(one, ToolStarted)}) == 2
    assert [one.answer.content for one in events if isinstance(one, ToolEnded)] == ["4", "16"]
    assert [one.step for one in events if isinstance(one, Thinking)] == [1, 2, 3]
    assert [one.retry for one in retries_of(events)] == [1, 2]
    assert server.bodies[2] == server.bodies[3] == server.bodies[4]
    assert "The answer is" not in server.requests[4].body.decode()
    assert events[-1] == Answered("16.")


async def test_each_request_has_tries_of_its_own() -> None:
    """Three failures before a tool's call leave the request behind it with as many."""
    down = openai_error(503, "down")
    asks = openai_wire.calls("calculate", '{"expression": "2 + 2"}')
    with openai_agent(down, down, down, asks, down, down, down, HELLO) as (agent, _):
        events = await events_of(agent)
    assert [one.retry for one in retries_of(events)] == [1, 2, 3, 1, 2, 3]
    assert events[-1] == Answered("Hello.")


SOON: Final = StallLimits(first_event_s=0.4, silence_s=0.4)
COMMENTS: Final[tuple[Step, ...]] = (b": keep-alive\n\n", 0.05) * 100
STALLS: Final[dict[str, Streamed]] = {
    "nothing at all": openai_wire.stream(Ends.STALLED),
    "silent in mid-sentence": openai_wire.stream(HALF, Ends.STALLED),
    "comments for ever": openai_wire.stream(*COMMENTS),
    "comments for ever in mid-sentence": openai_wire.stream(HALF, *COMMENTS),
    "bytes of one frame for ever": openai_wire.stream(
        HALF, *(piece for byte in HALF for piece in (bytes([byte]), 0.1))
    ),
}


@pytest.mark.parametrize("stalled", STALLS.values(), ids=STALLS)
async def test_a_silent_server_is_left(stalled: Streamed) -> None:
    """Whatever keeps its connection alive, it is only what the model says that counts."""
    with openai_agent(stalled, HELLO, stalls=SOON) as (agent, _):
        started = time.perf_counter()
        events = await events_of(agent)
        took = time.perf_counter() - started
    assert [one.reason for one in retries_of(events)] == ["timed_out"]
    assert events[-1] == Answered("Hello.")
    assert took < 3


async def test_a_server_that_begins_no_response_is_left() -> None:
    """One that takes the request and does not even send a status."""

    async def hesitates(reply: object) -> None:
        del reply
        await asyncio.sleep(1.5)
        raise ConnectionAbortedError

    with openai_agent(hesitates, HELLO, stalls=SOON) as (agent, _):
        events = await events_of(agent)
    assert [one.reason for one in retries_of(events)] == ["timed_out"]


async def test_a_server_that_trickles_is_heard_out() -> None:
    """Pieces that come slowly but surely are no stall, however long the whole takes."""
    slow = openai_wire.stream(
        *(step for _ in range(8) for step in (openai_wire.chunk({"content": "x"}), 0.2)),
        openai_wire.chunk({}, "stop"),
        openai_wire.DONE,
    )
    with openai_agent(slow, stalls=SOON) as (agent, _):
        events = await events_of(agent)
    assert not retries_of(events)
    assert events[-1] == Answered("x" * 8)


async def test_a_silent_bedrock_is_left() -> None:
    """In the middle of a response: its connection is closed, and the request made again."""
    stalled = bedrock_wire.stream(*HALF_SAID, Ends.STALLED)
    with bedrock_agent(stalled, bedrock_wire.says("Hello."), stalls=SOON) as (agent, _):
        events = await events_of(agent)
    assert [one.reason for one in retries_of(events)] == ["timed_out"]
    assert events[-1] == Answered("Hello.")


@pytest.mark.parametrize("refused", OPENAI_TOO_LONG.values(), ids=OPENAI_TOO_LONG)
async def test_what_is_too_long_is_tried_once_more(refused: Answer) -> None:
    """However a server words it, and under whichever status."""
    with openai_agent(refused, HELLO) as (agent, _):
        events = await events_of(agent)
    assert retries_of(events) == [Retrying("too_long", 1, 0.0)]
    assert events[-1] == Answered("Hello.")


@pytest.mark.parametrize("words", BEDROCK_TOO_LONG)
async def test_what_is_too_long_for_bedrock_is_tried_once_more(words: str) -> None:
    """However the model behind Converse words it."""
    refused = converse_error(400, "ValidationException", words)
    with bedrock_agent(refused, bedrock_wire.says("Hello.")) as (agent, _):
        events = await events_of(agent)
    assert retries_of(events) == [Retrying("too_long", 1, 0.0)]


async def test_the_conversation_is_made_smaller() -> None:
    """The second request leaves out the oldest turns, and has the newest one whole."""
    turns = [(UserSaid(f"question {place} " * 40), AssistantSaid(f"answer {place} " * 40)) for place in range(6)]
    history = tuple(message for both in turns for message in both)
    with openai_agent(OPENAI_TOO_LONG["vLLM"], HELLO) as (agent, server):
        events = await events_of(agent, turn("And now?", history=history))
    whole, smaller = (request.body.decode() for request in server.requests)
    assert "question 0" in whole
    assert "question 0" not in smaller
    assert "question 5" in smaller
    assert "And now?" in smaller
    assert len(smaller) < 0.75 * len(whole)
    assert events[-1] == Answered("Hello.")


async def test_too_long_twice_ends() -> None:
    """The conversation is made smaller once; what is still too long is the end, and final."""
    long = openai_error(400, "maximum context length is 8192 tokens", "context_length_exceeded")
    with openai_agent(long, long) as (agent, server), pytest.raises(ModelFailed, match="too long") as failed:
        await events_of(agent)
    assert not failed.value.retryable
    assert len(server.requests) == 2


@pytest.mark.parametrize("url", ["http://no-such-host.invalid/v1", "http://127.0.0.1:1/v1"])
async def test_who_can_not_be_reached(url: str) -> None:
    """A name that does not resolve, or a port that is closed, may pass."""
    seen: list[AgentEvent] = []
    agent = PydanticAgent(AGENT, Models(api_key="k", base_url=url)("openai:x"), retries=AT_ONCE)
    with pytest.raises(ModelFailed, match="could not be reached"):
        await collect(agent.run(turn()), seen)
    assert len(retries_of(seen)) == AT_ONCE.tries - 1


async def test_a_key_that_no_header_can_carry() -> None:
    """It is told at once: nothing of it passes."""
    with scripted_model() as server:
        models = Models(api_key="one\ntwo", base_url=f"{server.url}/v1")
        with pytest.raises(ModelFailed, match="wrong"):
            await events_of(PydanticAgent(AGENT, models("openai:x"), retries=AT_ONCE))
    assert not server.requests


async def test_cancelling_a_wait_ends_it_at_once() -> None:
    """A run that is cancelled while it waits for its next try ends without another request."""
    busy = openai_error(429, "slow down", None, None, Retry_After="30")
    waits = asyncio.Event()

    async def run(agent: PydanticAgent) -> None:
        async for event in agent.run(turn()):
            if isinstance(event, Retrying):
                waits.set()

    with openai_agent(busy) as (agent, server):
        task = asyncio.create_task(run(agent))
        await waits.wait()
        await asyncio.sleep(0.05)
        started = time.perf_counter()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        took = time.perf_counter() - started
    assert took < 0.5, f"it took {took * 1000:.0f} ms"
    assert len(server.requests) == 1


async def test_each_try_is_one_line_of_the_log(caplog: pytest.LogCaptureFixture) -> None:
    """With what the provider said, its request id, and no secret; the last try is logged by who ends the run."""
    refused = openai_error(503, "down for sk-proj-abcdefghijklmnop", "engine_down", None, x_request_id="req_1")
    with caplog.at_level(logging.INFO, "dayfly"), openai_agent(refused, HELLO) as (agent, _):
        await events_of(agent)
    (line,) = [record for record in caplog.records if record.name.startswith("dayfly")]
    said = vars(line)
    assert (said["provider"], said["model"], said["status"]) == ("openai-compatible", "llama3.2", 503)
    assert (said["provider_code"], said["provider_request_id"]) == ("engine_down", "req_1")
    assert said["provider_message"] == "down for [redacted]"
    assert (said["reason"], said["retries"], line.exc_info) == ("unavailable", 0, None)
