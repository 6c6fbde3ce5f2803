"""What a client is told when the model's side fails."""

import pytest
from pydantic_ai.exceptions import (
    ContentFilterError,
    ModelAPIError,
    ModelHTTPError,
    UnexpectedModelBehavior,
    UsageLimitExceeded,
)

from dayfly.agents.pydantic.failures import explain
from dayfly.errors import AgentFailed, ErrorCode, ModelFailed


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
    for error in (UnexpectedModelBehavior("inside"), KeyError("inside")):
        failure = explain(error, max_requests=20)
        assert isinstance(failure, AgentFailed)
        assert "inside" not in str(failure)


def test_our_own_errors_stay_what_they_are() -> None:
    """They were safe to begin with."""
    error = AgentFailed("no")
    assert explain(error, max_requests=20) is error
