"""When a request to the model is made again, in virtual time."""

import asyncio
import dataclasses
import random
from collections.abc import AsyncIterator, Coroutine, Iterator
from typing import Any

import pytest
from pydantic_ai.exceptions import ModelHTTPError
from pydantic_ai.messages import ModelMessage, ToolReturnPart
from pydantic_ai.models.function import AgentInfo

from dayfly.agents.provider_errors import ProviderError
from dayfly.agents.pydantic.agent import PydanticAgent
from dayfly.agents.pydantic.failures.retries import LEAST_TIME_S, RequestFailed, Retries, RetryPolicy
from dayfly.agents.pydantic.failures.stall_watch import StallLimits
from dayfly.agents.sdk.definition import Tool
from dayfly.agents.sdk.protocol import (
    AgentEvent,
    Answered,
    Asked,
    Delta,
    Responded,
    Retrying,
    Thinking,
    ToolEnded,
    ToolStarted,
    Turn,
)
from dayfly.errors import ModelFailed
from dayfly.log.messages import AssistantSaid, Decision, ToolAnswered, ToolCall, ToolOutcome
from tests.fakes.virtual_time import LoopClock, VirtualLoop
from tests.unit.agents.support import Piece, Script, agent_of, call, collect, events_of, kinds, turn


def in_virtual_time(work: Coroutine[Any, Any, None]) -> float:
    """Runs it, and returns how many seconds it took."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:

        async def timed() -> float:
            await work
            return asyncio.get_running_loop().time()

        return runner.run(timed())


def failing(*failures: Exception, answer: str = "Good day.") -> Script:
    """A model that fails so, each time in the middle of a sentence, and then answers."""
    left = iter(failures)

    async def script(messages: list[ModelMessage], info: AgentInfo) -> AsyncIterator[Piece]:
        failure = next(left, None)
        yield "Half a " if failure else answer
        if failure:
            raise failure

    return script


def error(status: int, **headers: str) -> ModelHTTPError:
    return ModelHTTPError(status, "m", {"message": "no"}, headers={k.replace("_", "-"): v for k, v in headers.items()})


def longest(low: float, high: float) -> float:
    return high


LONGEST = RetryPolicy(between=longest)


def test_the_wait_doubles() -> None:
    """The longest that can be drawn, before the three retries of a request; then the request ends."""
    seen: list[AgentEvent] = []

    async def run() -> None:
        with pytest.raises(ModelFailed):
            await collect(agent_of(failing(*[error(503)] * 9), retries=LONGEST).run(timed_turn()), seen)

    assert in_virtual_time(run()) == pytest.approx(1 + 2 + 4)
    assert [event for event in seen if isinstance(event, Retrying)] == [
        Retrying("unavailable", 1, 1), Retrying("unavailable", 2, 2), Retrying("unavailable", 3, 4),
    ]  # fmt: skip


def timed_turn(**changes: Any) -> Turn:
    return dataclasses.replace(turn(clock=LoopClock()), **changes)


def test_waits_are_spread() -> None:
    """Drawn evenly from nothing to the longest, which is bounded."""
    drawn = RetryPolicy(between=random.Random(1).uniform)
    waits = [drawn.delay_s(retry, None) for retry in (1, 2, 3) for _ in range(200)]
    assert all(0 <= wait <= 4 for wait in waits)
    assert min(waits[400:]) < 0.5
    assert max(waits[400:]) > 3.5
    assert LONGEST.delay_s(10, None) == LONGEST.longest_s


def test_what_a_provider_asks_for_is_the_least() -> None:
    """And those who were sent away together come back apart; a wait of nothing is no order to hurry."""
    assert LONGEST.delay_s(1, 30) == 31
    assert LONGEST.delay_s(3, 0) == 4
    assert RetryPolicy(between=lambda low, high: low).delay_s(1, 30) == 30


def test_a_cancel_ends_a_wait_at_once() -> None:
    """An agent whose next try is half a minute away stops in the moment of its cancellation, and asks nobody again."""
    requests = 0
    seen: list[AgentEvent] = []

    async def script(messages: list[ModelMessage], info: AgentInfo) -> AsyncIterator[Piece]:
        nonlocal requests
        requests += 1
        if requests == 1:
            raise error(429, retry_after="30")
        yield "Good day."

    async def run() -> None:
        agent = asyncio.create_task(collect(agent_of(script, retries=LONGEST).run(timed_turn()), seen))
        await asyncio.sleep(5)
        assert isinstance(seen[-1], Retrying)
        agent.cancel()
        with pytest.raises(asyncio.CancelledError):
            await agent

    assert in_virtual_time(run()) == 5
    assert requests == 1


@pytest.mark.parametrize(("asked", "tries"), [("60", 2), ("61", 1)])
def test_a_long_wait_is_not_begun(asked: str, tries: int) -> None:
    """A minute is waited for; of more the user is told, and may come back."""
    requests = 0

    async def script(messages: list[ModelMessage], info: AgentInfo) -> AsyncIterator[Piece]:
        nonlocal requests
        requests += 1
        if requests == 1:
            raise error(429, retry_after=asked)
        yield "Good day."

    async def run() -> None:
        agent = agent_of(script)
        if tries == 2:
            await events_of(agent, timed_turn())
            return
        with pytest.raises(ModelFailed, match=r"asks to try again in 2 minutes\.") as failed:
            await events_of(agent, timed_turn())
        assert failed.value.retryable

    in_virtual_time(run())
    assert requests == tries


@pytest.mark.parametrize(("left_s", "retried"), [(LEAST_TIME_S + 1, True), (LEAST_TIME_S + 0.9, False)])
def test_a_retry_has_to_fit_into_the_attempts_time(left_s: float, *, retried: bool) -> None:
    """The wait and a few seconds for the request: else the failure ends the run, and its user may try again."""
    seen: list[AgentEvent] = []

    async def run() -> None:
        given = timed_turn()
        given = dataclasses.replace(given, context=dataclasses.replace(given.context, deadline=left_s))
        agent = agent_of(failing(error(503)), retries=LONGEST)
        if retried:
            await collect(agent.run(given), seen)
            return
        with pytest.raises(ModelFailed):
            await collect(agent.run(given), seen)

    in_virtual_time(run())
    assert (Retrying in kinds(seen)) is retried


def test_behind_something_completed_the_engine_decides() -> None:
    """A retry that does not fit is offered all the same: the engine hands the run over instead."""
    given = turn()
    given = dataclasses.replace(given, context=dataclasses.replace(given.context, deadline=0.0))
    failed = RequestFailed(ModelFailed("no"), "unavailable", None)
    assert Retries(given, LONGEST).next(failed, completed=0) is None
    assert Retries(given, LONGEST).next(failed, completed=1) == Retrying("unavailable", 1, 1)


def test_what_does_not_pass_is_not_retried() -> None:
    """A failure without a reason for another try."""
    assert Retries(turn(), LONGEST).next(RequestFailed(ModelFailed("no"), None, None), completed=0) is None


def test_smaller_once_without_a_wait() -> None:
    """And for all requests of the attempt after it: they would be as long."""
    long = RequestFailed(ModelFailed("long"), "too_long", None)
    retries = Retries(turn(), LONGEST)
    assert retries.next(long, completed=0) == Retrying("too_long", 1, 0.0)
    assert retries.shrink == 1
    assert retries.next(long, completed=2) is None


def test_how_long_is_said_in_words() -> None:
    """Rounded up."""
    headers = {"retry-after": "90000"}
    told = ProviderError(kind="E", status=429, code="", message="", request_id="", headers=headers, body=None)
    failed = RequestFailed(ModelFailed("Busy."), "throttled", told)
    assert str(Retries(turn(), LONGEST).last_words(failed)) == "Busy. Its provider asks to try again in 2 days."


def test_the_steps_and_the_text_of_a_retried_request() -> None:
    """One announcement; the failed text is followed by the retry, and is in no response."""
    seen: list[AgentEvent] = []

    async def run() -> None:
        seen.extend(await events_of(agent_of(failing(error(500), error(429))), timed_turn()))

    in_virtual_time(run())
    assert kinds(seen) == [Thinking, Delta, Retrying, Delta, Retrying, Delta, Responded, Answered]
    assert isinstance(seen[6], Responded)
    assert seen[6].message.text == "Good day."


def pay(amount: int) -> str:
    """Pays."""
    return f"paid {amount}"


PAY = Tool(pay, requires_approval=True)


ASKED = AssistantSaid("I will pay. ", (ToolCall("a", "pay", '{"amount": 1}'), ToolCall("b", "pay", '{"amount": 2}')))


def test_decisions_stay_and_an_approved_tool_runs_once() -> None:
    """A failure behind an approval asks neither for it again, nor carries the call out again."""
    requests: list[list[str]] = []

    async def script(messages: list[ModelMessage], info: AgentInfo) -> AsyncIterator[Piece]:
        parts = [part for message in messages for part in message.parts if isinstance(part, ToolReturnPart)]
        requests.append([f"{part.tool_call_id}: {part.content}" for part in parts])
        yield "Half a "
        if len(requests) < 3:
            raise error(503)

    seen: list[AgentEvent] = []

    async def run() -> None:
        decided = (Decision("a", approved=True), Decision("b", approved=False, reason="Too dear."))
        given = timed_turn(resumed=(ASKED,), decisions=decided)
        seen.extend(await events_of(agent_of(script, PAY), given))

    in_virtual_time(run())
    assert [event.tool_call_id for event in seen if isinstance(event, ToolStarted)] == ["a"]
    ended = [event.answer for event in seen if isinstance(event, ToolEnded)]
    assert sorted((answer.call_id, answer.outcome) for answer in ended) == [
        ("a", ToolOutcome.OK), ("b", ToolOutcome.DENIED),
    ]  # fmt: skip
    assert Asked not in kinds(seen)
    assert len(requests) == 3
    assert requests[0] == requests[1] == requests[2]
    assert seen[-1] == Answered("Half a ")


def test_a_question_behind_a_retry_is_asked_once() -> None:
    """The response that asks came with the second try."""
    tries = 0

    async def script(messages: list[ModelMessage], info: AgentInfo) -> AsyncIterator[Piece]:
        nonlocal tries
        tries += 1
        yield call("pay", '{"amount": 1}', f"c-{tries}")
        if tries == 1:
            raise error(503)

    seen: list[AgentEvent] = []

    async def run() -> None:
        seen.extend(await events_of(agent_of(script, PAY), timed_turn()))

    in_virtual_time(run())
    assert kinds(seen) == [Thinking, Retrying, Responded, Asked]
    assert isinstance(seen[-1], Asked)
    assert [one.tool_call_id for one in seen[-1].calls] == ["c-2"]


def test_a_model_that_keeps_silent_is_asked_again() -> None:
    """In the middle of a response, and before one begins; each has a limit of its own."""

    async def silent(messages: list[ModelMessage], info: AgentInfo) -> AsyncIterator[Piece]:
        if next(steps) == "begins":
            yield "Half a "
        await asyncio.sleep(1000)
        yield "never"

    steps: Iterator[str] = iter(("begins", "never", "never", "begins"))
    seen: list[AgentEvent] = []

    async def run() -> None:
        agent = agent_of(silent, stalls=StallLimits(first_event_s=30, silence_s=7))
        with pytest.raises(ModelFailed, match="took too long"):
            await collect(agent.run(timed_turn()), seen)

    assert in_virtual_time(run()) == pytest.approx(7 + 30 + 30 + 7)
    assert [event.reason for event in seen if isinstance(event, Retrying)] == ["timed_out"] * 3


def test_an_engine_that_takes_its_time_is_no_stall() -> None:
    """While it is the engine that is waited for, the model's time stands still."""
    seen: list[AgentEvent] = []

    async def run() -> None:
        agent: PydanticAgent = agent_of(failing(), stalls=StallLimits(first_event_s=1, silence_s=1))
        async for event in agent.run(timed_turn()):
            await asyncio.sleep(100)
            seen.append(event)

    in_virtual_time(run())
    assert kinds(seen) == [Thinking, Delta, Responded, Answered]


def test_results_of_this_attempt_are_in_the_next_try() -> None:
    """What a tool answered before the failure is given to the model, as it would be to a new engine's."""
    given: list[int] = []

    def look() -> str:
        """Looks."""
        return "rain"

    async def script(messages: list[ModelMessage], info: AgentInfo) -> AsyncIterator[Piece]:
        given.append(len(messages))
        if len(messages) == 1:
            yield call("look")
            return
        if given.count(3) == 1:
            raise error(529)
        yield "Rain."

    seen: list[AgentEvent] = []

    async def run() -> None:
        seen.extend(await events_of(agent_of(script, look), timed_turn()))

    in_virtual_time(run())
    assert given == [1, 3, 3]
    assert [event.answer for event in seen if isinstance(event, ToolEnded)] == [ToolAnswered("c-1", "look", "rain")]
    assert seen[-1] == Answered("Rain.")
