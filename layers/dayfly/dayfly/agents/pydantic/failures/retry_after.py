"""How long a provider asks to be left alone before a request is made again."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final

from dayfly.agents.provider_errors import ProviderError

_RESETS: Final = ("requests", "tokens", "input-tokens", "output-tokens")
_DURATION: Final = re.compile(r"(\d+(?:\.\d+)?)(ms|h|m|s)", re.ASCII)
_UNITS: Final = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}
_IN_WORDS: Final = re.compile(
    r"(?:try|retry) (?:again )?(?:in|after) (\d[\d.]*(?:ms|[hms])?(?:\d[\d.]*(?:ms|[ms]))*)(?: ?(second|minute|hour))?",
    re.ASCII,
)
"""OpenAI's and Groq's `Please try again in 6m0.5s.`, Gemini's `Please retry in 14.3s.`, LiteLLM's `in 5 seconds`."""
_WORD_UNITS: Final = {"second": 1.0, "minute": 60.0, "hour": 3600.0}
_EPOCH_S: Final = 1e9
"""A reset of more is a moment since the epoch, not a duration; in milliseconds if it is a thousand times as much."""


def asked_to_wait_s(error: ProviderError, *, now_ms: int) -> float | None:
    """Seconds, or `None` where the provider says nothing that can be understood.

    `retry-after-ms` and `Retry-After` (RFC 9110, section 10.2.3: seconds or a date; fractions are taken too) come
    first; then Google's `RetryInfo` in the body, the time at which a limit that is used up is reset, and the words.

    Args:
        error: What the provider answered.
        now_ms: Milliseconds since the epoch, for moments of a response that has no `Date`.
    """
    headers = error.headers
    now_s = _moment(headers.get("date", "")) or now_ms / 1000
    for seconds in (
        _scaled(headers.get("retry-after-ms"), 0.001),
        _retry_after(headers.get("retry-after", ""), now_s),
        _retry_info(error.body),
        _reset(headers, now_s),
        _in_words(error.message),
    ):
        if seconds is not None:
            return seconds
    return None


def _retry_after(text: str, now_s: float) -> float | None:
    if (seconds := _scaled(text, 1)) is not None:
        return seconds
    moment = _moment(text)
    return None if moment is None else max(0.0, moment - now_s)


def _retry_info(body: object) -> float | None:
    """`retryDelay` of a `google.rpc.RetryInfo`, wherever in the body it lies."""
    if isinstance(body, Mapping):
        delay = body.get("retryDelay")
        return _duration(delay) if isinstance(delay, str) else _first(body.values())
    return _first(body) if isinstance(body, list) else None


def _first(values: object) -> float | None:
    found = (_retry_info(value) for value in values) if hasattr(values, "__iter__") else iter(())
    return next((seconds for seconds in found if seconds is not None), None)


def _reset(headers: Mapping[str, str], now_s: float) -> float | None:
    """When the limits that are used up are reset. A limit of which something is left says nothing of this refusal."""
    resets: list[float] = []
    for prefix in ("x-ratelimit-", "anthropic-ratelimit-", "ratelimit-"):
        for remaining, reset in (
            (f"{prefix}remaining", f"{prefix}reset"),
            *((f"{prefix}remaining-{what}", f"{prefix}reset-{what}") for what in _RESETS),
            *((f"{prefix}{what}-remaining", f"{prefix}{what}-reset") for what in _RESETS),
        ):
            if _scaled(headers.get(remaining), 1) == 0 and (left := _until(headers.get(reset, ""), now_s)) is not None:
                resets.append(left)
    return max(resets, default=None)


def _until(text: str, now_s: float) -> float | None:
    number = _scaled(text, 1)
    if number is None:
        moment = _moment(text)
        return _duration(text) if moment is None else max(0.0, moment - now_s)
    if number < _EPOCH_S:
        return number
    return max(0.0, (number / 1000 if number > _EPOCH_S * 1000 else number) - now_s)


def _in_words(message: str) -> float | None:
    found = _IN_WORDS.search(message[:2000].lower())
    if found is None:
        return None
    amount, unit = found.groups()
    amount = amount.rstrip(".")
    return _scaled(amount, _WORD_UNITS[unit] if unit else 1) if amount[-1].isdigit() else _duration(amount)


def _duration(text: str) -> float | None:
    """`6m0s`, `120ms`, `0.5s`."""
    if not text or _DURATION.sub("", text.strip()):
        return None
    return sum(float(amount) * _UNITS[unit] for amount, unit in _DURATION.findall(text))


def _scaled(text: str | None, unit: float) -> float | None:
    if text is None or not re.fullmatch(r"\d+(\.\d+)?", text.strip(), re.ASCII):
        return None
    return float(text) * unit


def _moment(text: str) -> float | None:
    """Seconds since the epoch of an HTTP date or an RFC 3339 time."""
    try:
        moment = datetime.fromisoformat(text) if "T" in text[8:11] else parsedate_to_datetime(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError, TypeError):
        return None
