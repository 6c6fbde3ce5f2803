"""What a client is told when the model's side fails. The details stay in the cause, for the log."""

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
    """The error a run ends with, for one that came out of the loop between model and tools, tools excepted."""
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
