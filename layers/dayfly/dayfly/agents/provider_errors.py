"""What a provider's error says to a developer: status, code, words and request id, in one line and without secrets.

Whoever raised it: pydantic-ai, a provider's own client, botocore. Their errors are told apart by what they carry, so
that none of them has to be imported here.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from dayfly.text import sanitize

MESSAGE_CHARS: Final = 300
"""Characters of a provider's message that are kept."""

_REQUEST_IDS: Final = (
    "x-request-id",
    "request-id",
    "x-amzn-requestid",
    "x-amzn-request-id",
    "apim-request-id",
    "x-ms-request-id",
    "x-goog-request-id",
    "x-litellm-call-id",
    "cf-ray",
)
"""Response headers by which a provider finds a request again, the most telling first."""

_CLIENTS: Final = frozenset(
    {
        "aiohttp", "anthropic", "anyio", "asyncio", "boto3", "botocore", "google", "groq", "h11", "httpcore",
        "httpcore2", "httpx", "httpx2", "litellm", "mistralai", "ollama", "openai", "requests", "socket", "ssl",
        "urllib3", "websockets",
    }
)  # fmt: skip
"""Packages whose errors tell of a provider or of the way to it, not of a mistake in this process."""

_SECRETS: Final = (
    # A value behind a name that says what it is: `api key provided: x`, `api_key=x`, `"token": "x"`.
    re.compile(
        r"(?i)\b(?P<name>(?:[\w-]*(?:api[ _-]?key|token|secret|password|credential|authorization))(?: provided)?"
        r"[\"']?\s*[:=]\s*[\"']?(?:bearer\s+|basic\s+)?)(?P<secret>[^\s\"',;}]+)"
    ),
    re.compile(r"(?i)\b(?P<name>bearer\s+|[?&]key=)(?P<secret>[^\s\"',;&]+)"),
    # What is a key by its form alone.
    re.compile(r"(?P<name>)\b(?P<secret>(?:sk|pk|rk|gsk|xai|hf|pplx|nvapi|key|r8|tgp|csk)[-_][\w*.-]{6,})"),
    re.compile(r"(?P<name>)\b(?P<secret>AIza[\w-]{10,}|(?:AKIA|ASIA|ABSK)[A-Za-z0-9+/=]{8,}|eyJ[\w-]{8,}[\w.-]*)"),
    re.compile(r"(?P<name>)(?<![\w+/])(?P<secret>(?=[A-Za-z+/_]*\d)(?=[\d+/_]*[A-Za-z])[A-Za-z0-9+/_]{32,}={0,2})"),
)
_HIDDEN: Final = "[redacted]"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderError:
    """What an error says of a provider's answer; empty or `None` where it says nothing.

    Attributes:
        kind: The error's class.
        status: The HTTP status; of an error in an open stream, the one that it has outside of one.
        code: The provider's own code, or else its type of the error.
        message: The provider's words, whole: for decisions. What is logged is `fields`.
        request_id: By which the provider finds the request again.
        headers: Of the response, names in lower case.
        body: Of the response, as far as it was read.
    """

    kind: str
    status: int | None
    code: str
    message: str
    request_id: str
    headers: Mapping[str, str]
    body: object

    @classmethod
    def of(cls, error: BaseException) -> "ProviderError | None":
        """Reads the error, or the nearest of its causes that came from a provider or from the way to it; `None` where
        none did."""
        for one in _causes(error):
            if _tells_of_a_provider(one):
                return _read(one)
        return None

    @property
    def fields(self) -> dict[str, str | int]:
        """What a line of the log says of it: cut, on one line, and without what looks like a secret."""
        said: dict[str, str | int | None] = {
            "provider_error": self.kind,
            "status": self.status,
            "provider_code": one_line(self.code),
            "provider_message": one_line(self.message),
            "provider_request_id": one_line(self.request_id),
        }
        return {name: value for name, value in said.items() if value}


def one_line(text: str) -> str:
    """The text on one line, at most `MESSAGE_CHARS` long, and without what looks like a secret."""
    line = " ".join(sanitize(text[: 4 * MESSAGE_CHARS]).split())  # a body may be a web page
    for secret in _SECRETS:
        line = secret.sub(lambda found: f"{found['name']}{_HIDDEN}", line)
    return line if len(line) <= MESSAGE_CHARS else f"{line[: MESSAGE_CHARS - 1]}…"


def inside(value: object, *names: str) -> object:
    """What lies under these names in nested dicts, `None` where that is nothing."""
    for name in names:
        value = value.get(name) if isinstance(value, Mapping) else None
    return value


def _causes(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        yield current
        current = current.__cause__


def _tells_of_a_provider(error: BaseException) -> bool:
    if isinstance(error, OSError | TimeoutError) or isinstance(getattr(error, "status_code", None), int):
        return True
    names = {(kind.__module__.partition(".")[0], kind.__name__) for kind in type(error).__mro__}
    if any(package == "pydantic_ai" for package, _ in names):
        return ("pydantic_ai", "AgentRunError") in names  # its other errors tell of a mistake in how it is used
    return any(package in _CLIENTS for package, _ in names)


def _read(error: BaseException) -> ProviderError:
    # botocore's `response` is a dict; that of the HTTP clients' errors has attributes.
    response: object = getattr(error, "response", None)
    body: object = getattr(error, "body", None) or (response if isinstance(response, Mapping) else None)
    headers = _headers(error, response, body)
    status = _status(error, response, body)
    code = (
        _text(getattr(error, "provider_error_code", None))
        or _text(getattr(error, "provider_error_type", None))
        or _said(body, "code", "Code")
        or _said(body, "type", "status")
        or _text(getattr(error, "code", None))
    )
    message = _said(body, "message", "Message") or (body if isinstance(body, str) else "") or _words(error)
    request_id = next((headers[name] for name in _REQUEST_IDS if headers.get(name)), "")
    return ProviderError(
        kind=type(error).__name__,
        status=status,
        code=code,
        message=message,
        request_id=request_id or _text(inside(body, "ResponseMetadata", "RequestId")) or _said(body, "request_id"),
        headers=headers,
        body=body,
    )


def _headers(error: BaseException, response: object, body: object) -> dict[str, str]:
    for headers in (
        getattr(error, "headers", None),
        getattr(response, "headers", None),
        inside(body, "ResponseMetadata", "HTTPHeaders"),
    ):
        if isinstance(headers, Mapping):
            return {str(name).lower(): str(value) for name, value in headers.items()}
    return {}


def _status(error: BaseException, response: object, body: object) -> int | None:
    for status in (
        getattr(error, "status_code", None),
        getattr(response, "status_code", None),
        inside(body, "ResponseMetadata", "HTTPStatusCode"),
    ):
        if isinstance(status, int):
            return status
    return None


def _said(body: object, *names: str) -> str:
    """The first of these in a provider's body, which is the error itself, or has it under `error`, or in a list."""
    if isinstance(body, list) and body:
        body = body[0]
    for place in (inside(body, "error"), inside(body, "Error"), body, inside(body, "detail")):
        for name in names:
            if text := _text(inside(place, name)):
                return text
    plain = inside(body, "error") or inside(body, "detail")  # Ollama and FastAPI: {"error": "words"}
    return plain if "message" in names and isinstance(plain, str) else ""


def _text(value: object) -> str:
    return str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""


def _words(error: BaseException) -> str:
    try:
        return str(error)
    except Exception:  # noqa: BLE001  # an error's own words may raise; then its class has to do
        return ""
