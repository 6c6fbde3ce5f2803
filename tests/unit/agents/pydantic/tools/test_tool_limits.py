"""A tool's own limits: how long a call may take, and how often it may be corrected."""

import asyncio
import threading
from collections.abc import AsyncIterator
from typing import Any

import pytest
from pydantic_ai import ModelRetry

from dayfly.agents.sdk.definition import Tool
from dayfly.agents.sdk.protocol import AgentEvent, Answered, ToolEnded
from dayfly.agents.sdk.tool_context import ToolCallOver, ToolContext, ToolError, ToolRetry
from dayfly.agents.tool_threads import ToolThread, running_tool_threads
from dayfly.errors import AgentFailed, ConfigurationError
from dayfly.log.messages import AssistantSaid, ToolAnswered, ToolCall, ToolOutcome
from tests.unit.agents.support import agent_of, call, collect, events_of, responses, turn


def answers(events: list[AgentEvent]) -> list[ToolAnswered]:
    return [event.answer for event in events if isinstance(event, ToolEnded)]


async def test_a_call_within_its_time_is_left_alone() -> None:
    """The limit is not felt."""

    async def wait() -> str:
        """Waits."""
        await asyncio.sleep(0.01)
        return "waited"

    events = await events_of(agent_of(responses((call("wait"),), ("Done.",)), Tool(wait, timeout_s=5)))
    assert answers(events) == [ToolAnswered("c-1", "wait", "waited")]


async def test_an_async_call_over_its_time_is_cancelled() -> None:
    """The model is told of the limit, and that nobody knows what became of the call; the run goes on."""
    stopped: list[bool] = []

    async def wait() -> str:
        """Waits."""
        try:
            await asyncio.sleep(3600)
        finally:
            stopped.append(True)
        return "waited"

    async with asyncio.timeout(5):
        events = await events_of(agent_of(responses((call("wait"),), ("Done.",)), Tool(wait, timeout_s=0.05)))
    content = "The tool wait did not finish within 0.05 s. Whether it took effect is not known."
    assert answers(events) == [ToolAnswered("c-1", "wait", content, ToolOutcome.ERROR)]
    assert stopped == [True]
    assert events[-1] == Answered("Done.")


async def test_a_plain_function_over_its_time_is_abandoned_and_can_notice() -> None:
    """The run goes on at once; the thread is still named as running, and stops where it next tells its progress."""
    release, told = threading.Event(), []

    def block(context: ToolContext) -> str:
        """Blocks."""
        release.wait(30)
        try:
            context.progress("still here")
        except ToolCallOver:
            told.append("over")
        return ""

    async with asyncio.timeout(5):
        events = await events_of(agent_of(responses((call("block"),), ("Done.",)), Tool(block, timeout_s=0.05)))
    assert answers(events)[0].outcome is ToolOutcome.ERROR
    assert events[-1] == Answered("Done.")
    assert running_tool_threads() == ("block",)
    release.set()
    for thread in threading.enumerate():
        if isinstance(thread, ToolThread):
            await asyncio.to_thread(thread.join, 5)
    assert told == ["over"]


async def test_a_tools_own_time_out_is_not_taken_for_its_limit(caplog: pytest.LogCaptureFixture) -> None:
    """What it raises itself within its time is a failure like any other."""

    async def ask() -> str:
        """Asks."""
        raise TimeoutError

    events = await events_of(agent_of(responses((call("ask"),), ("Done.",)), Tool(ask, timeout_s=5)))
    assert answers(events)[0].content == "The tool ask failed unexpectedly."
    assert "TimeoutError" in caplog.text


async def test_a_tool_that_answers_its_cancellation_with_an_error_was_still_too_slow() -> None:
    """Its limit is what the model is told of."""

    async def ask() -> str:
        """Asks."""
        try:
            await asyncio.sleep(3600)
        except asyncio.CancelledError:
            raise ValueError("interrupted") from None
        return ""

    events = await events_of(agent_of(responses((call("ask"),), ("Done.",)), Tool(ask, timeout_s=0.05)))
    assert "did not finish within 0.05 s" in answers(events)[0].content


@pytest.mark.parametrize("timeout_s", [0, -1, float("nan"), float("inf"), "5", True])
def test_a_limit_that_is_no_time_is_refused(timeout_s: Any) -> None:
    """At the definition, with the tool's name."""

    def wait() -> str:
        """Waits."""
        return ""

    with pytest.raises(ConfigurationError, match="the tool wait: timeout_s is seconds, above 0, not "):
        Tool(wait, timeout_s=timeout_s)


@pytest.mark.parametrize("retries", [-1, 1.5, "2", True, None])
def test_a_number_of_retries_that_is_none_is_refused(retries: Any) -> None:
    """At the definition, with the tool's name."""

    def wait() -> str:
        """Waits."""
        return ""

    with pytest.raises(ConfigurationError, match="the tool wait: retries is a whole number from 0"):
        Tool(wait, retries=retries)


def fussy(number: int) -> str:
    """Wants an even number."""
    if number % 2:
        raise ToolRetry(f"{number} is odd.")
    return f"{number} it is"


def asks(*numbers: int) -> tuple[tuple[Any, ...], ...]:
    return tuple((call("fussy", f'{{"number": {number}}}', f"c-{place}"),) for place, number in enumerate(numbers))


async def test_the_model_is_asked_to_correct_its_call() -> None:
    """It is told what is wrong, and a corrected call goes well."""
    events = await events_of(agent_of(responses(*asks(1, 2), ("Done.",)), fussy))
    assert answers(events) == [
        ToolAnswered("c-0", "fussy", "1 is odd.\n\nCorrect the call and try again.", ToolOutcome.RETRY),
        ToolAnswered("c-1", "fussy", "2 it is"),
    ]


@pytest.mark.parametrize(
    ("retries", "outcomes"),
    [
        (0, "error error"),
        (1, "retry error error"),
        (2, "retry retry error error"),
        (3, "retry retry retry error error"),
    ],
)
async def test_corrections_are_bounded_and_then_count_as_failed(retries: int, outcomes: str) -> None:
    """On the last one within the bound the model may try again; behind it the calls are failures."""
    wanted = outcomes.split()
    replies = asks(*[1] * len(wanted))
    events = await events_of(agent_of(responses(*replies, ("Sorry.",)), Tool(fussy, retries=retries)))
    assert [answer.outcome for answer in answers(events)] == wanted
    assert answers(events)[-1].content == "1 is odd.\n\nDo not try again."


async def test_a_call_that_went_well_begins_the_count_anew() -> None:
    """It is in a row that they are counted."""
    events = await events_of(agent_of(responses(*asks(1, 2, 1, 2, 1), ("Done.",)), Tool(fussy, retries=1)))
    assert [answer.outcome for answer in answers(events)] == ["retry", "ok", "retry", "ok", "retry"]


async def test_corrections_alone_end_no_run_but_failures_behind_them_do() -> None:
    """A model that never corrects itself has its retries, and then what any failing tool has."""
    seen: list[AgentEvent] = []
    with pytest.raises(AgentFailed, match="The tool fussy kept failing"):
        await collect(agent_of(responses(*asks(*[1] * 20)), Tool(fussy, retries=5)).run(turn()), seen)
    assert [answer.outcome for answer in answers(seen)] == ["retry"] * 5 + ["error"] * 4


async def test_earlier_attempts_count() -> None:
    """An engine that goes on for another grants no new corrections."""
    resumed = (
        AssistantSaid("", (ToolCall("a", "fussy", '{"number": 1}'),)),
        ToolAnswered("a", "fussy", "1 is odd.", ToolOutcome.RETRY),
    )
    agent = agent_of(responses(*asks(3), ("Done.",)), Tool(fussy, retries=1))
    assert [answer.outcome for answer in answers(await events_of(agent, turn(resumed=resumed)))] == ["error"]


async def test_two_calls_of_one_response_are_one_try() -> None:
    """Both may be corrected."""
    both = (call("fussy", '{"number": 1}', "a"), call("fussy", '{"number": 3}', "b", place=1))
    events = await events_of(agent_of(responses(both, ("Done.",)), Tool(fussy, retries=1)))
    assert [answer.outcome for answer in answers(events)] == ["retry", "retry"]


async def test_a_tool_error_takes_no_correction() -> None:
    """It is a failure from the first."""

    def no() -> AsyncIterator[str]:
        """Refuses."""
        raise ToolError("No.")

    events = await events_of(agent_of(responses((call("no"),), ("Sorry.",)), no))
    assert answers(events) == [ToolAnswered("c-1", "no", "No.", ToolOutcome.ERROR)]


async def test_the_librarys_own_retry_is_one() -> None:
    """Whoever knows `ModelRetry` may go on raising it."""

    def no() -> str:
        """Refuses."""
        raise ModelRetry("Try another.")

    events = await events_of(agent_of(responses((call("no"),), ("Sorry.",)), no))
    assert answers(events)[0].outcome is ToolOutcome.RETRY
