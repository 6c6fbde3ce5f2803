"""What went wrong between this backend and a model: whether it may pass, and in which words its user is told."""

import re
from collections.abc import Mapping
from enum import Enum
from typing import Final

from pydantic_ai.exceptions import (
    ContentFilterError,
    ModelAuthenticationError,
    ModelConnectionError,
    ModelContextWindowExceededError,
    ModelNotFoundError,
    ModelQuotaExceededError,
    ModelRateLimitError,
    ModelRequestRejectedError,
    ModelRequestTimeout,
    ModelTimeoutError,
    ModelUnavailableError,
    OutputTokenLimitExceeded,
    UnexpectedModelBehavior,
)

from dayfly.agents.provider_errors import ProviderError, inside
from dayfly.errors import ModelFailed
from dayfly.protocol.events import RetryReason


class ModelRefused(ModelFailed):
    """The provider refused this request for good: the same request again will be refused again."""

    retryable = False


class FailureKind(Enum):
    """What went wrong: in words for the chat's user, and why the request is made again, if that may help."""

    THROTTLED = ("The model has too many requests at the moment.", "throttled")
    UNAVAILABLE = ("The model is not available at the moment.", "unavailable")
    PROVIDER_FAILED = ("The model's provider has a problem at the moment.", "unavailable")
    TIMED_OUT = ("The model took too long to answer.", "timed_out")
    UNREACHABLE = ("The model could not be reached.", "connection_lost")
    CONNECTION_LOST = ("The connection to the model broke off.", "connection_lost")
    CUT_OFF = ("The model's answer broke off.", "cut_off")
    NO_ANSWER = ("The model gave no answer that could be read.", "no_answer")
    UNKNOWN = ("The model failed.", None)
    TOO_LONG = ("The conversation is too long for the model.", "too_long")
    QUOTA = ("The model's quota is used up.", None)
    CREDENTIALS = ("The model may not be used with this backend's credentials.", None)
    ADDRESS = ("The address of the model's server is wrong.", None)
    NOT_FOUND = ("The model does not exist at its provider.", None)
    REJECTED = ("The model refused the request.", None)
    FILTERED = ("The model's provider filtered the answer.", None)
    NOT_ALLOWED = ("The model's provider does not allow this conversation.", None)
    OUTPUT_LIMIT = ("The model used up its output limit without an answer.", None)

    def __init__(self, words: str, reason: RetryReason | None) -> None:
        self.words = words
        self.reason = reason

    @property
    def final(self) -> bool:
        """Whether the same request, sent later, would fail again."""
        return self in _FINAL

    def failure(self) -> ModelFailed:
        """The error that the run ends with."""
        return ModelRefused(self.words) if self.final else ModelFailed(self.words)


_FINAL: Final = frozenset(
    {
        FailureKind.TOO_LONG,
        FailureKind.QUOTA,
        FailureKind.CREDENTIALS,
        FailureKind.ADDRESS,
        FailureKind.NOT_FOUND,
        FailureKind.REJECTED,
        FailureKind.FILTERED,
        FailureKind.NOT_ALLOWED,
        FailureKind.OUTPUT_LIMIT,
    }
)


def kind_of(error: Exception) -> FailureKind:
    """What went wrong where a request to a model raised this.

    pydantic-ai sorts its providers' errors by their codes; what providers tell in words only, what gateways pass on of
    another's error, and what comes unsorted, is sorted here.
    """
    told = ProviderError.of(error)
    if told is not None and (kind := _by_words(told)) is not None:
        return kind
    if told is not None and told.status is not None:
        return _hinted(_by_class(error) or _by_status(told), told)
    return _by_cause(error, _SET_UP) or _by_class(error) or _by_cause(error, _TRANSPORT) or _by_status(told)


def _hinted(kind: FailureKind, told: ProviderError) -> FailureKind:
    """Follows the provider's own word on whether the same request may be made again (OpenAI, Anthropic)."""
    hint = told.headers.get("x-should-retry", "").lower()
    if hint == "false" and not kind.final:
        return FailureKind.REJECTED
    return FailureKind.UNAVAILABLE if hint == "true" and kind is FailureKind.REJECTED else kind


def _by_class(error: Exception) -> FailureKind | None:
    if (
        isinstance(error, ModelConnectionError)
        and not isinstance(error, ModelTimeoutError)
        and error.phase == "connect"
    ):
        return FailureKind.UNREACHABLE
    return next((kind for kinds, kind in _BY_CLASS if isinstance(error, kinds)), None)


def _by_cause(error: BaseException, names: Mapping[str, FailureKind]) -> FailureKind | None:
    """By the class of the error, or of one that it was raised from or beside."""
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        for one in type(current).__mro__:
            if (kind := names.get(f"{one.__module__.partition('.')[0]}.{one.__name__}")) is not None:
                return kind
        current = current.__cause__ or current.__context__
    return None


def _by_status(told: ProviderError | None) -> FailureKind:
    """What comes with no more than an HTTP status (RFC 9110, section 15), or without one."""
    if told is None:
        return FailureKind.UNKNOWN
    status = told.status
    if status is None or status < 400:
        # An error in the middle of a stream, or a response that is none: the provider had taken the request.
        return FailureKind.REJECTED if _REFUSING.search(told.code) else FailureKind.PROVIDER_FAILED
    if status in _BY_STATUS:
        return _BY_STATUS[status]
    return FailureKind.PROVIDER_FAILED if status >= 500 else FailureKind.REJECTED


_BY_CLASS: Final[tuple[tuple[type[Exception] | tuple[type[Exception], ...], FailureKind], ...]] = (
    (ModelQuotaExceededError, FailureKind.QUOTA),
    (ModelRateLimitError, FailureKind.THROTTLED),
    (ModelUnavailableError, FailureKind.UNAVAILABLE),
    ((ModelTimeoutError, ModelRequestTimeout, TimeoutError), FailureKind.TIMED_OUT),
    ((ModelConnectionError, ConnectionError), FailureKind.CONNECTION_LOST),
    (ModelContextWindowExceededError, FailureKind.TOO_LONG),
    (ModelAuthenticationError, FailureKind.CREDENTIALS),
    (ModelNotFoundError, FailureKind.NOT_FOUND),
    (ModelRequestRejectedError, FailureKind.REJECTED),
    (ContentFilterError, FailureKind.FILTERED),
    (OutputTokenLimitExceeded, FailureKind.OUTPUT_LIMIT),
    (UnexpectedModelBehavior, FailureKind.NO_ANSWER),
    # A response lacks a member that the library takes for granted, or has one that it does not know.
    ((AssertionError, AttributeError, LookupError, TypeError), FailureKind.NO_ANSWER),
)
"""The first that fits. Of what is only the server's error, its status says more."""

_BY_STATUS: Final = {
    402: FailureKind.QUOTA,
    401: FailureKind.CREDENTIALS,
    403: FailureKind.CREDENTIALS,
    404: FailureKind.NOT_FOUND,
    408: FailureKind.TIMED_OUT,
    409: FailureKind.UNAVAILABLE,
    413: FailureKind.TOO_LONG,
    424: FailureKind.PROVIDER_FAILED,  # Bedrock's ModelErrorException
    425: FailureKind.UNAVAILABLE,
    429: FailureKind.THROTTLED,
    501: FailureKind.REJECTED,
    502: FailureKind.UNAVAILABLE,
    503: FailureKind.UNAVAILABLE,
    504: FailureKind.TIMED_OUT,
    505: FailureKind.REJECTED,
    524: FailureKind.TIMED_OUT,
    529: FailureKind.UNAVAILABLE,
}
"""Any other 4xx is a refusal, any other 5xx the provider's problem."""

_SET_UP: Final = {
    "botocore.NoCredentialsError": FailureKind.CREDENTIALS,
    "botocore.PartialCredentialsError": FailureKind.CREDENTIALS,
    "botocore.CredentialRetrievalError": FailureKind.CREDENTIALS,
    "botocore.TokenRetrievalError": FailureKind.CREDENTIALS,
    "botocore.ParamValidationError": FailureKind.REJECTED,
    "ssl.SSLCertVerificationError": FailureKind.ADDRESS,
    "httpx.UnsupportedProtocol": FailureKind.ADDRESS,
    "httpx2.UnsupportedProtocol": FailureKind.ADDRESS,
    "httpx.LocalProtocolError": FailureKind.ADDRESS,  # a header that cannot be sent, such as a key of two lines
    "httpx2.LocalProtocolError": FailureKind.ADDRESS,
}
"""What another try does not mend, by package and class: no client has to be installed for it."""

_TRANSPORT: Final = {
    "httpx.TimeoutException": FailureKind.TIMED_OUT,
    "httpx2.TimeoutException": FailureKind.TIMED_OUT,
    "urllib3.TimeoutError": FailureKind.TIMED_OUT,
    "httpx.TransportError": FailureKind.CONNECTION_LOST,
    "httpx2.TransportError": FailureKind.CONNECTION_LOST,
    "urllib3.HTTPError": FailureKind.CONNECTION_LOST,
    "botocore.ParserError": FailureKind.CUT_OFF,
    "json.JSONDecodeError": FailureKind.CUT_OFF,
    "builtins.UnicodeDecodeError": FailureKind.CUT_OFF,
    "pydantic_core.ValidationError": FailureKind.NO_ANSWER,
}
"""What the library lets through, or wraps without sorting it."""

_QUOTA: Final = re.compile(
    r"insufficient_quota|billing_hard_limit|billing_not_active|credit balance|credit_balance|insufficient[ _]balance"
    r"|spend_limit|exceeded_current_quota|budget has been exceeded|exceededbudget|quota exceeded for the day"
    r"|payment required|too many tokens per day|free-models-per-day",
    re.IGNORECASE,
)
_TOO_LONG: Final = re.compile(
    r"context_length_exceeded|contextwindowexceeded|exceed_context_size|model_context_window_exceeded"
    r"|maximum context length|maximum prompt length|maximum (?:model|input) length|maximum number of tokens allowed"
    r"|(?:exceeds?|longer than|larger than|greater than|over|limit of)[^.]{0,60}context (?:length|size|window|limit)"
    r"|context (?:length|size|window|limit)[^.]{0,40}(?:exceed|limit|too)"
    r"|(?:prompt|input|conversation|request|messages?) (?:is|are|was) too (?:long|large)|input token count"
    r"|input tokens exceeded|`?inputs`? tokens? \+|request_too_large"
    r"|reduce the length of|range of input length|too many (?:input|prompt) tokens|exceeds? max(?:imum)? length"
    r"|tokens in the prompt cannot exceed|(?:exceeds?|exceeded)[^.]{0,30} token limit",
    re.IGNORECASE,
)
_NEVER_FITS: Final = re.compile(r"request too large|tokens must be reduced", re.IGNORECASE)
"""Of a limit of tokens per minute that this one request is over by itself."""
_NOT_ALLOWED: Final = re.compile(
    r"content_filter|content_policy|responsibleai|data_inspection_failed|content management policy|moderation_blocked"
    r"|prohibited_content|sensitive_words",
    re.IGNORECASE,
)
_REFUSING: Final = re.compile(r"invalid|bad_request|unsupported|not_allowed|permission|authentication", re.IGNORECASE)


def _by_words(told: ProviderError) -> FailureKind | None:
    """What a provider tells by its code or in its words, whatever the status: gateways pass on another's error under
    one of their own."""
    if told.status is not None and told.status < 400:
        return None
    words = f"{told.code} {told.message[:4000]}"
    throttled = told.status == 429 or "throttl" in told.code.lower()
    if _QUOTA.search(words) or _daily(told.body):
        return FailureKind.QUOTA
    if (_NEVER_FITS if throttled else _TOO_LONG).search(words):
        return FailureKind.TOO_LONG
    return FailureKind.NOT_ALLOWED if not throttled and _NOT_ALLOWED.search(words) else None


def _daily(body: object) -> bool:
    """Whether Google names a quota of the day (`google.rpc.QuotaFailure`), directly or inside of a gateway's list."""
    if isinstance(body, list):
        return any(_daily(one) for one in body)
    details = inside(body, "error", "details") or inside(body, "details")
    found = [inside(one, "violations") for one in details] if isinstance(details, list) else []
    violations = [one for several in found if isinstance(several, list) for one in several]
    return any("PerDay" in str(inside(one, "quotaId")) for one in violations)
