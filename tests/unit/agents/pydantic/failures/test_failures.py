"""How a run fails: on the model's side, or by a tool that keeps failing."""

import pytest
from pydantic_ai.exceptions import (
    ContentFilterError,
    ModelAPIError,
    ModelHTTPError,
    UnexpectedModelBehavior,
    UsageLimitExceeded,
)

from dayfly.agents.pydantic.failures.failures import MAX_FAILED_RESPONSES, ToolFailures, explain
from dayfly.agents.sdk.protocol import Answered, ToolEnded
from dayfly.agents.sdk.tool_context import ToolError
from dayfly.errors import AgentFailed, ErrorCode, ModelFailed
from dayfly.log.messages import AssistantSaid, ToolAnswered, ToolOutcome
from tests.unit.agents.support import agent_of, call, events_of, responses


@pytest.mark.parametrize(
    ("status", "retryable"),
    [(400, False), (401, False), (403, False), (404, False), (429, True), (500, True), (503, True), (529, True)],
)
def test_trying_again_helps_where_the_fault_may_pass(status: int, retryable: bool) -> None:
    """By the provider's status; the provider's words stay inside."""
    failure = explain(ModelHTTPError(status, "m", {"inside": True}), max_requests=20)
    assert isinstance(failure, ModelFailed)
    assert (failure.code, failure.retryable) == (ErrorCode.MODEL_FAILED, retryable)
    assert "inside" not in str(failure)


def test_other_ends() -> None:
    """Whose failure it is."""
    assert isinstance(explain(ModelAPIError("m", "inside"), max_requests=20), ModelFailed)
    assert isinstance(explain(ContentFilterError("inside"), max_requests=20), ModelFailed)
    assert "20 model requests" in str(explain(UsageLimitExceeded("inside"), max_requests=20))
    assert "arguments that do not fit" in str(explain(UnexpectedModelBehavior("inside"), max_requests=20))
    for error in (UnexpectedModelBehavior("inside"), KeyError("inside")):
        failure = explain(error, max_requests=20)
        assert isinstance(failure, AgentFailed)
        assert "inside" not in str(failure)


def test_our_own_errors_stay_what_they_are() -> None:
    """They were safe to begin with."""
    error = AgentFailed("no")
    assert explain(error, max_requests=20) is error


def answer(name: str, outcome: ToolOutcome) -> ToolAnswered:
    return ToolAnswered("c", name, "", outcome)


def test_a_response_names_its_tools_once() -> None:
    """In the order in which they first ended; the next response begins with none."""
    failures = ToolFailures(())
    for name in ("look", "buy", "look"):
        failures.add(answer(name, ToolOutcome.OK))
    assert failures.end_response() == ("look", "buy")
    assert failures.end_response() == ()


@pytest.mark.parametrize("resumed", range(MAX_FAILED_RESPONSES + 1))
def test_a_tool_may_fail_in_so_many_responses(resumed: int) -> None:
    """Whichever attempts they were in."""
    earlier = [message for _ in range(resumed) for message in (AssistantSaid(""), answer("buy", ToolOutcome.ERROR))]
    failures = ToolFailures(earlier)
    for number in range(resumed, MAX_FAILED_RESPONSES):
        if number:
            failures.end_response()
        failures.add(answer("buy", ToolOutcome.ERROR))
    with pytest.raises(AgentFailed, match="buy"):
        failures.end_response()


@pytest.mark.parametrize("other", [ToolOutcome.OK, ToolOutcome.DENIED])
def test_what_breaks_a_row_of_failures(other: ToolOutcome) -> None:
    """A call that went well does. One that was denied counts as neither: it lets the row go on, and adds nothing."""
    failures = ToolFailures(())
    for outcome in (*[ToolOutcome.ERROR] * (MAX_FAILED_RESPONSES - 1), other):
        failures.add(answer("buy", outcome))
        failures.end_response()
    failures.add(answer("buy", ToolOutcome.ERROR))
    if other is ToolOutcome.OK:
        assert failures.end_response() == ("buy",)
    else:
        with pytest.raises(AgentFailed):
            failures.end_response()


async def test_a_refusal_that_can_not_be_told_is_an_unexpected_failure() -> None:
    """Of its tool, and not of the run."""

    class Unspeakable(ToolError):
        def __str__(self) -> str:
            raise KeyError("hunter2")

    def no() -> str:
        """Refuses."""
        raise Unspeakable("No.")

    events = await events_of(agent_of(responses((call("no"),), ("Sorry.",)), no))
    (ended,) = [event for event in events if isinstance(event, ToolEnded)]
    assert ended.answer == ToolAnswered("c-1", "no", "The tool no failed unexpectedly.", ToolOutcome.ERROR)
    assert isinstance(events[-1], Answered)
