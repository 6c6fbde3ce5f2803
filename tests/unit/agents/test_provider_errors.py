"""What is read from a provider's error, and what of it goes into a line of the log."""

import pytest

from dayfly.agents.provider_errors import MESSAGE_CHARS, ProviderError, one_line


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("Incorrect API key provided: sk-proj-abc***xyz. You can find", "sk-proj-abc***xyz"),
        ("Incorrect API key: the-key", "the-key"),
        ("invalid x-api-key=hunter2 in the request", "hunter2"),
        ('{"api_key": "hunter2"}', "hunter2"),
        ("Authorization: Bearer abc.def", "abc.def"),
        ("https://host/v1/models?key=AIzaSyA1234567890abcdef", "AIzaSyA1234567890abcdef"),
        ("The security token AKIAIOSFODNN7EXAMPLE is invalid", "AKIAIOSFODNN7EXAMPLE"),
        ("token eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.sig was refused", "eyJhbGciOiJIUzI1NiJ9"),
        ("key 0123456789abcdef0123456789abcdef is not active", "0123456789abcdef0123456789abcdef"),
        ("no access with gsk_abcdefgh12345678", "gsk_abcdefgh12345678"),
    ],
)
def test_secrets_are_hidden(text: str, secret: str) -> None:
    """By the name before them, or by their form."""
    assert secret not in one_line(text)
    assert "[redacted]" in one_line(text)


@pytest.mark.parametrize(
    "text",
    [
        "Rate limit reached for gpt-4o in organization org-abc on tokens per min (TPM): Limit 30000, Used 29000.",
        "This model's maximum context length is 128000 tokens.",
        "no model anthropic.claude-sonnet-4-5-20250929-v1:0 in eu-central-1",
        "request 3f2b7c1e-9d4a-4b8e-8f1a-2c3d4e5f6a7b failed",
    ],
)
def test_what_is_no_secret_stays(text: str) -> None:
    """Limits, models and ids are what the developer looks for."""
    assert one_line(text) == text


def test_one_line_of_bounded_length() -> None:
    """Whatever a proxy answers with."""
    assert one_line("<html>\n  <h1>502</h1>\n") == "<html> <h1>502</h1>"
    assert len(one_line("x " * 5000)) == MESSAGE_CHARS
    assert one_line("x" * MESSAGE_CHARS) == "x" * MESSAGE_CHARS
    assert one_line("a\ud83d") == "a�"


class Converse(Exception):
    """As botocore's `ClientError`."""

    response = {  # noqa: RUF012
        "Error": {"Code": "ThrottlingException", "Message": "Too many requests"},
        "ResponseMetadata": {"RequestId": "aws-1", "HTTPStatusCode": 429, "HTTPHeaders": {"Retry-After": "3"}},
    }


Converse.__module__ = "botocore.exceptions"


def test_botocores_errors() -> None:
    """By their response."""
    told = ProviderError.of(Converse())
    assert told is not None
    assert told.fields == {
        "provider_error": "Converse", "status": 429, "provider_code": "ThrottlingException",
        "provider_message": "Too many requests", "provider_request_id": "aws-1",
    }  # fmt: skip
    assert told.headers == {"retry-after": "3"}


class Status(Exception):
    """As the errors of openai and anthropic."""

    def __init__(self, body: object, **headers: str) -> None:
        self.status_code = 503
        self.body = body
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}


@pytest.mark.parametrize(
    ("header", "value"),
    [("x-request-id", "r"), ("request-id", "r"), ("apim-request-id", "r"), ("X-Amzn-RequestId", "r"), ("cf-ray", "r")],
)
def test_the_request_id(header: str, value: str) -> None:
    """By the header of whichever provider."""
    told = ProviderError.of(Status(None, **{header.replace("-", "_"): value}))
    assert told is not None
    assert told.request_id == "r"


@pytest.mark.parametrize(
    ("body", "code", "message"),
    [
        ({"error": {"code": "c", "message": "m", "type": "t"}}, "c", "m"),
        ({"code": "c", "message": "m"}, "c", "m"),
        ([{"error": {"status": "c", "message": "m"}}], "c", "m"),
        ({"type": "error", "error": {"type": "c", "message": "m"}}, "c", "m"),
        ({"error": "m"}, "", "m"),
        ({"detail": "m"}, "", "m"),
        ("m", "", "m"),
    ],
)
def test_bodies(body: object, code: str, message: str) -> None:
    """Wherever a provider puts its code and its words."""
    told = ProviderError.of(Status(body))
    assert told is not None
    assert (told.code, told.message) == (code, message)


def test_the_cause_is_read() -> None:
    """Behind an error that says nothing of a provider itself; an error of this process tells of none."""
    outer = RuntimeError("outer")
    outer.__cause__ = Status({"message": "m"})
    told = ProviderError.of(outer)
    assert told is not None
    assert told.status == 503
    assert ProviderError.of(KeyError("x")) is None
    assert ProviderError.of(ConnectionResetError("x")) is not None
