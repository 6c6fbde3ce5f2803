"""How long a provider asks to be left alone."""

import pytest
from pydantic import JsonValue

from dayfly.agents.provider_errors import ProviderError
from dayfly.agents.pydantic.failures.retry_after import asked_to_wait_s

NOW_MS = 1_764_500_000_000
"""2025-11-30T10:53:20Z."""


def asked(headers: dict[str, str] | None = None, *, body: JsonValue = None, message: str = "") -> float | None:
    told = ProviderError(
        kind="E", status=429, code="", message=message, request_id="", headers=headers or {}, body=body
    )
    return asked_to_wait_s(told, now_ms=NOW_MS)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "7"}, 7),
        ({"retry-after": "0"}, 0),
        ({"retry-after": "1.5"}, 1.5),
        ({"retry-after": "3600"}, 3600),
        ({"retry-after": "Sun, 30 Nov 2025 10:53:50 GMT"}, 30),
        ({"retry-after": "Sun, 30 Nov 2025 10:00:00 GMT"}, 0),
        ({"retry-after": "Sun, 30 Nov 2025 11:00:30 GMT", "date": "Sun, 30 Nov 2025 11:00:00 GMT"}, 30),
        ({"retry-after-ms": "250", "retry-after": "1"}, 0.25),
        ({"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "6m0s"}, 360),
        (
            {
                "x-ratelimit-remaining-requests": "9", "x-ratelimit-reset-requests": "8.64s",
                "x-ratelimit-remaining-tokens": "0", "x-ratelimit-reset-tokens": "120ms",
            },
            0.12,
        ),
        ({"anthropic-ratelimit-tokens-remaining": "0", "anthropic-ratelimit-tokens-reset": "2025-11-30T10:53:25Z"}, 5),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": "1764500012"}, 12),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": "1764500012000"}, 12),
        ({"ratelimit-remaining": "0", "ratelimit-reset": "30"}, 30),
    ],
)  # fmt: skip
def test_what_headers_ask_for(headers: dict[str, str], seconds: float) -> None:
    """Seconds or a moment, measured by the server's clock where it tells it."""
    assert asked(headers) == pytest.approx(seconds)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"retry-after": ""},
        {"retry-after": "soon"},
        {"retry-after": "-5"},
        {"retry-after": "nan"},
        {"retry-after": "inf"},
        {"retry-after": "1e3"},
        {"retry-after": "٣"},
        {"retry-after-ms": "x"},
        {"x-ratelimit-remaining-requests": "9", "x-ratelimit-reset-requests": "6m0s"},
        {"x-ratelimit-reset-requests": "6m0s"},
        {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "soon"},
    ],
)
def test_what_headers_do_not_say(headers: dict[str, str]) -> None:
    """Nonsense, and the reset of a limit that is not used up, ask for nothing."""
    assert asked(headers) is None


RETRY_INFO: JsonValue = {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "14.3s"}


@pytest.mark.parametrize(
    "body",
    [{"error": {"code": 429, "details": [{"reason": "x"}, RETRY_INFO]}}, [{"error": {"details": [RETRY_INFO]}}]],
)
def test_googles_retry_info(body: JsonValue) -> None:
    """Wherever in the body it lies: the OpenAI-compatible endpoint wraps it in a list."""
    assert asked(body=body) == pytest.approx(14.3)


@pytest.mark.parametrize(
    ("message", "seconds"),
    [
        ("Rate limit reached. Please try again in 1.2s. Visit the docs.", 1.2),
        ("Limit 6000, Used 5900. Please try again in 7m12.5s.", 432.5),
        ("Please try again in 20ms.", 0.02),
        ("Please retry in 14.3s.", 14.3),
        ("No deployments available. Try again in 5 seconds.", 5),
        ("Please retry after 2 minutes", 120),
        ("Try again in a moment.", None),
        ("The model is loading.", None),
    ],
)
def test_what_words_ask_for(message: str, seconds: float | None) -> None:
    """Where nothing else says it."""
    assert asked(message=message) == (None if seconds is None else pytest.approx(seconds))
    assert asked({"retry-after": "3"}, message=message) == 3
