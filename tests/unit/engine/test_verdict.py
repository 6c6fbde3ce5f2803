"""From the way an agent ended to the event that ends its run."""

import logging

import pytest

from dayfly.agents.sdk.protocol import Answered, Asked, OpenCall
from dayfly.engine.verdict import AgentEnded, Conclusion, conclude
from dayfly.errors import AgentFailed, EngineClosed, ErrorCode, ModelFailed, Superseded, ToolOutcomeUnknown, Unsettled
from dayfly.log.event_payloads import ANSWER_BYTES, SENTENCE_BYTES
from dayfly.protocol.events import AgentCompleted, AgentError, Usage

USAGE = Usage(requests=2, input_tokens=30, output_tokens=9)


async def verdict(answer: Answered | Asked | None = None, error: BaseException | None = None) -> Conclusion:
    return conclude(AgentEnded(error), answer, USAGE, took_ms=1234, run_id="r-1")


async def test_an_answer_completes_the_run() -> None:
    """With its time and what all attempts counted."""
    expected = AgentCompleted(result="Done.", truncated=False, execution_time_ms=1234, usage=USAGE)
    assert await verdict(Answered("Done.")) == expected


async def test_a_long_answer_is_cut() -> None:
    """And says so; the history has the whole of it."""
    result = await verdict(Answered("x" * ANSWER_BYTES))
    assert isinstance(result, AgentCompleted)
    assert result.truncated
    assert len(result.result) < ANSWER_BYTES


async def test_a_question_is_no_end() -> None:
    """An agent that asks is given on as it is."""
    asked = Asked((OpenCall("pay", "c-1", {}),))
    assert await verdict(asked) is asked


async def test_an_agent_without_an_answer_has_failed(caplog: pytest.LogCaptureFixture) -> None:
    """The operator reads of it."""
    with caplog.at_level(logging.ERROR, "dayfly.engine"):
        result = await verdict()
    assert isinstance(result, AgentError)
    assert (result.code, result.retryable) == (ErrorCode.AGENT_FAILED, False)
    assert caplog.records


@pytest.mark.parametrize("error", [Superseded("x"), Unsettled("x"), EngineClosed("x"), KeyboardInterrupt()])
async def test_what_is_not_the_agents_doing_is_raised_on(error: BaseException) -> None:
    """Another took over, the log is away, the process is being ended: no terminal event comes of that."""
    with pytest.raises(type(error)):
        await verdict(Answered("Done."), error)


@pytest.mark.parametrize(
    ("error", "code", "retryable"),
    [
        (ModelFailed("The model is busy."), ErrorCode.MODEL_FAILED, True),
        (ToolOutcomeUnknown("It may not run twice."), ErrorCode.TOOL_OUTCOME_UNKNOWN, False),
        (AgentFailed("It went on."), ErrorCode.AGENT_FAILED, False),
    ],
)
async def test_a_failure_with_a_name_is_told(error: Exception, code: ErrorCode, *, retryable: bool) -> None:
    """By its code and its own words."""
    assert await verdict(error=error) == AgentError(code=code, message=str(error), retryable=retryable)


async def test_a_failures_words_are_cut_to_size() -> None:
    """And a failure without words has some."""
    long = await verdict(error=ModelFailed("x" * 100_000))
    assert isinstance(long, AgentError)
    assert len(long.message) <= SENTENCE_BYTES
    mute = await verdict(error=ModelFailed())
    assert isinstance(mute, AgentError)
    assert mute.message


async def test_any_other_exception_is_bare(caplog: pytest.LogCaptureFixture) -> None:
    """Its text goes to the log, and to no client."""
    with caplog.at_level(logging.ERROR, "dayfly.engine"):
        result = await verdict(Answered("Done."), KeyError("hunter2"))
    assert isinstance(result, AgentError)
    assert result.code == ErrorCode.AGENT_FAILED
    assert "hunter2" not in result.message
    assert "hunter2" in caplog.text


class Unavailable(Exception):
    """As a provider's client raises it."""

    status_code = 503
    headers = {"x-request-id": "req_1"}  # noqa: RUF012
    body = {"error": {"code": "down", "message": "no capacity for sk-abcdefghijkl"}}  # noqa: RUF012


def caused(error: Exception, cause: Exception) -> Exception:
    error.__cause__ = cause
    return error


async def test_a_models_failure_is_one_line_of_the_log(caplog: pytest.LogCaptureFixture) -> None:
    """With all that its provider said, no secret and no traceback, whoever loops between model and tools."""
    failed = ModelFailed("The model is not available.")
    failed.provider, failed.model, failed.retries = "openai", "gpt-9", 3
    await verdict(error=caused(failed, Unavailable("inner")))
    (line,) = caplog.records
    assert line.getMessage() == "the model failed: The model is not available."
    said = vars(line)
    assert {name: said[name] for name in ("run", "code", "retryable", "provider", "model", "retries", "status")} == {
        "run": "r-1", "code": "model_failed", "retryable": True, "provider": "openai", "model": "gpt-9", "retries": 3,
        "status": 503,
    }  # fmt: skip
    assert (said["provider_code"], said["provider_request_id"]) == ("down", "req_1")
    assert said["provider_message"] == "no capacity for [redacted]"
    assert line.exc_info is None


@pytest.mark.parametrize(
    "error",
    [
        ModelFailed("The model broke off."),
        caused(ModelFailed("The model broke off."), ConnectionResetError("peer")),
        AgentFailed("The tool no kept failing."),
        ToolOutcomeUnknown("It may not run twice."),
    ],
)
async def test_what_was_foreseen_has_no_traceback(error: Exception, caplog: pytest.LogCaptureFixture) -> None:
    """Its words say all that there is."""
    await verdict(error=error)
    (line,) = caplog.records
    assert str(error) in line.getMessage()
    assert line.exc_info is None


@pytest.mark.parametrize("failed", [ModelFailed("The model failed."), AgentFailed("The agent failed.")])
async def test_what_was_not_foreseen_has_one(failed: Exception, caplog: pytest.LogCaptureFixture) -> None:
    """A mistake of this process behind a failure is looked for in its traceback."""
    await verdict(error=caused(failed, KeyError("hunter2")))
    (line,) = caplog.records
    assert line.exc_info is not None
    assert "hunter2" in caplog.text
