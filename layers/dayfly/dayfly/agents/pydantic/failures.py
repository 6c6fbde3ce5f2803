"""How a run fails: on the model's side, or by a tool that keeps failing.

What a client is told is safe to show; the details stay in the error's cause, for the log.
"""

from collections.abc import Iterable
from typing import Final

from pydantic_ai.exceptions import (
    ContentFilterError,
    ModelAPIError,
    ModelAuthenticationError,
    ModelConnectionError,
    ModelContextWindowExceededError,
    ModelHTTPError,
    ModelNotFoundError,
    ModelQuotaExceededError,
    ModelRateLimitError,
    ModelRequestRejectedError,
    ModelTimeoutError,
    ModelUnavailableError,
    OutputTokenLimitExceeded,
    UnexpectedModelBehavior,
    UsageLimitExceeded,
)

from dayfly.errors import AgentFailed, DayflyError, ModelFailed
from dayfly.log.messages import AssistantSaid, Message, ToolAnswered, ToolOutcome


class ModelRefused(ModelFailed):
    """The provider refused this request for good: the same request again will be refused again."""

    retryable = False


_MESSAGES: Final[tuple[tuple[type[Exception], type[ModelFailed], str], ...]] = (
    (ModelQuotaExceededError, ModelRefused, "The model's quota is used up."),
    (ModelRateLimitError, ModelFailed, "The model has too many requests at the moment."),
    (ModelUnavailableError, ModelFailed, "The model is not available at the moment."),
    (ModelTimeoutError, ModelFailed, "The model took too long to answer."),
    (ModelConnectionError, ModelFailed, "The connection to the model broke off."),
    (ModelContextWindowExceededError, ModelRefused, "The conversation is too long for the model."),
    (ModelAuthenticationError, ModelRefused, "The model may not be used with this backend's credentials."),
    (ModelNotFoundError, ModelRefused, "The model does not exist at its provider."),
    (ModelRequestRejectedError, ModelRefused, "The model refused the request."),
    (ContentFilterError, ModelRefused, "The model's provider filtered the answer."),
    (OutputTokenLimitExceeded, ModelRefused, "The model used up its output limit without an answer."),
)

_MAY_PASS: Final = frozenset({408, 409, 425, 429})
"""Client errors that the same request may not meet again (RFC 9110, section 15.5; RFC 6585)."""


def explain(error: Exception, *, max_requests: int) -> DayflyError:
    """The error that the run ends with.

    Args:
        error: What came out of the loop between model and tools. An error of this project's own stays as it is.
        max_requests: The agent's limit of model requests, which the message names where it was reached.
    """
    if isinstance(error, DayflyError):
        return error
    if isinstance(error, UsageLimitExceeded):
        return AgentFailed(f"The agent made {max_requests} model requests without coming to an answer.")
    for kind, failure, message in _MESSAGES:
        if isinstance(error, kind):
            return failure(message)
    if isinstance(error, ModelHTTPError) and 400 <= error.status_code < 500 and error.status_code not in _MAY_PASS:
        return ModelRefused("The model refused the request.")
    if isinstance(error, ModelAPIError):
        return ModelFailed("The model failed.")
    if isinstance(error, UnexpectedModelBehavior):
        return AgentFailed("The model repeatedly asked for something that the agent does not have.")
    return AgentFailed("The agent failed.")


MAX_FAILED_RESPONSES: Final = 4
"""The run ends after so many model responses in a row in which calls of one tool failed and none went well."""


class ToolFailures:
    """Counts for each tool the model responses in a row in which its calls failed and none went well."""

    def __init__(self, resumed: Iterable[Message]) -> None:
        """Counts what earlier attempts of the run have left in `resumed`."""
        self._went_well: dict[str, bool] = {}
        """By the names of the tools that the present response called."""
        self._failed: dict[str, int] = {}
        for message in resumed:
            if isinstance(message, AssistantSaid):
                self._count()
            elif isinstance(message, ToolAnswered):
                self.add(message)

    def add(self, answer: ToolAnswered) -> None:
        """Notes that a call has ended. One that was denied has neither failed nor gone well, since its tool did not
        run; nor has one that the model is to correct."""
        if answer.outcome not in {ToolOutcome.DENIED, ToolOutcome.RETRY}:
            self._went_well[answer.name] = self._went_well.get(answer.name, False) or answer.outcome is ToolOutcome.OK

    def end_response(self) -> tuple[str, ...]:
        """Counts the present response, and names the tools that it called, in the order in which they first ended.

        Raises:
            AgentFailed: A tool has failed in `MAX_FAILED_RESPONSES` of them.
        """
        tools = self._count()
        for name, responses in self._failed.items():
            if responses >= MAX_FAILED_RESPONSES:
                raise AgentFailed(f"The tool {name} kept failing.")
        return tools

    def _count(self) -> tuple[str, ...]:
        for name, well in self._went_well.items():
            self._failed[name] = 0 if well else self._failed.get(name, 0) + 1
        tools, self._went_well = tuple(self._went_well), {}
        return tools
