"""Text on its way in and out: one sanitiser, one measure, one splitter, one form of time."""

import json
from datetime import UTC, datetime
from typing import Final

_ELLIPSIS: Final = "…"


def sanitize(text: str) -> str:
    """The text with each lone surrogate replaced by U+FFFD: UTF-8 has no form for one (RFC 3629, section 3), so it
    could be neither stored nor sent. A model's or a tool's JSON may hold one, as half of an escaped pair."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def json_string_bytes(text: str) -> int:
    """The bytes `text` takes as a JSON string: with quotes and escapes, UTF-8, non-ASCII raw."""
    return len(json.dumps(text, ensure_ascii=False).encode("utf-8", "surrogatepass"))


def cut(text: str, limit: int) -> tuple[str, bool]:
    """The text within `limit` bytes as a JSON string, and whether something was cut off."""
    text = sanitize(text)
    pieces = split_text(text, limit)
    if len(pieces) <= 1:
        return text, False
    return split_text(text, limit - len(_ELLIPSIS.encode()))[0] + _ELLIPSIS, True


def split_text(text: str, limit: int) -> tuple[str, ...]:
    """The text in pieces of at most `limit` bytes each as a JSON string; no character is split."""
    if json_string_bytes(text) <= limit:
        return (text,) if text else ()
    pieces: list[str] = []
    while text:
        # A character takes 1 byte at least and 6 at most (an escaped control character): search between.
        low, high = 1, min(len(text), limit)
        while low < high:
            middle = (low + high + 1) // 2
            if json_string_bytes(text[:middle]) <= limit:
                low = middle
            else:
                high = middle - 1
        pieces.append(text[:low])
        text = text[low:]
    return tuple(pieces)


def rfc3339(at_ms: int) -> str:
    """Milliseconds since the epoch as RFC 3339 in UTC, with milliseconds: `2026-11-22T10:00:00.123Z`."""
    moment = datetime.fromtimestamp(at_ms / 1000, tz=UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{at_ms % 1000:03d}Z"
