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
    """The text within `limit` bytes as a JSON string, and whether something was cut off. Looks at no more of it than
    fits: a tool may return a hundred megabytes."""
    head = sanitize(text[: limit + 1])  # a character takes 1 byte at least
    if json_string_bytes(head) <= limit:
        return head, False
    return head[: _fitting(head, 0, limit - len(_ELLIPSIS.encode()))] + _ELLIPSIS, True


def split_text(text: str, limit: int) -> tuple[str, ...]:
    """The text in pieces of at most `limit` bytes each as a JSON string; no character is split."""
    pieces: list[str] = []
    start = 0
    while start < len(text):
        end = start + _fitting(text, start, limit)
        pieces.append(text[start:end])
        start = end
    return tuple(pieces)


def _fitting(text: str, start: int, limit: int) -> int:
    """How many characters from `start` on fit into `limit` bytes; one at least. A character takes 1 byte at least and 6
    at most (an escaped control character): searched between."""
    low, high = 1, max(1, min(len(text) - start, limit))
    while low < high:
        middle = (low + high + 1) // 2
        if json_string_bytes(text[start : start + middle]) <= limit:
            low = middle
        else:
            high = middle - 1
    return low


def shortened(text: str, limit: int) -> str:
    """The text in about `limit` bytes of UTF-8: its head and tail, with a note of what was left out between them."""
    encoded = text.encode()
    if len(encoded) <= limit:
        return text
    note = f"\n[… {len(encoded) - limit} bytes left out: too long for the model …]\n"
    room = max(0, limit - len(note.encode()))
    head = encoded[: room - room // 3].decode(errors="ignore")
    tail = encoded[len(encoded) - room // 3 :].decode(errors="ignore") if room // 3 else ""
    return f"{head}{note}{tail}"


def rfc3339(at_ms: int) -> str:
    """Milliseconds since the epoch as RFC 3339 in UTC, with milliseconds: `2026-11-22T10:00:00.123Z`."""
    moment = datetime.fromtimestamp(at_ms / 1000, tz=UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{at_ms % 1000:03d}Z"
