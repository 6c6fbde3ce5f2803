"""The values of secrets that were handed out in this process, and their removal from whatever is written or shown."""

import json
import re
from typing import Final
from urllib.parse import quote, quote_plus

from pydantic import JsonValue

from dayfly.log.redaction import REDACTED, SHOWN_DEPTH

LEAST_CHARS: Final = 8
"""A shorter value is not looked for: it would be found in harmless text."""


_LEFT_IN_URLS: Final = ("", "/", "!$&'()*+,;=:@/?", "!$'()*,;:@/?")
"""What programs leave as it is where they write a value into a URL: all that they may, or less (RFC 3986, 3.4)."""


class SecretValues:
    """Finds known secrets in text. Process-lived: a secret is the deployment's, never one user's; a value that was
    rotated away stays known."""

    def __init__(self) -> None:
        self._values: frozenset[str] = frozenset()
        self._spellings: frozenset[str] = frozenset()
        self._pattern: re.Pattern[str] | None = None
        self._firsts: frozenset[str] = frozenset()
        self._longest = 1

    def add(self, value: str) -> bool:
        """Has the value removed from now on, in each of its spellings: as it is, within JSON, and within a URL. Returns
        whether it is long enough for that."""
        if len(value) < LEAST_CHARS:
            return False
        if value not in self._values:
            self._values |= {value}
            self._spellings |= _spellings(value)
            longest_first = sorted(self._spellings, key=len, reverse=True)
            self._firsts = frozenset(spelling[0] for spelling in longest_first)
            self._longest = len(longest_first[0])
            self._pattern = re.compile("|".join(map(re.escape, longest_first)))
        return True

    def redact(self, text: str) -> str:
        """The text, with `[redacted]` in the place of each known value."""
        return text if self._pattern is None else self._pattern.sub(REDACTED, text)

    def redact_json(self, value: JsonValue, *, levels: int = SHOWN_DEPTH) -> JsonValue:
        """The value with all of its texts, names and numbers redacted. What nests deeper than `levels` is left out."""
        if self._pattern is None:
            return value
        if isinstance(value, str):
            return self.redact(value)
        if isinstance(value, dict | list) and levels == 0:
            return None
        if isinstance(value, dict):
            return {self.redact(name): self.redact_json(inner, levels=levels - 1) for name, inner in value.items()}
        if isinstance(value, list):
            return [self.redact_json(inner, levels=levels - 1) for inner in value]
        if isinstance(value, int | float) and not isinstance(value, bool):
            return REDACTED if self.redact(_digits(value)) == REDACTED else value
        return value

    def redact_json_text(self, text: str) -> str:
        """Text that is JSON, or should be, redacted so that it is JSON afterwards if it was before."""
        redacted = self.redact(text)
        if redacted == text:
            return text
        try:
            return json.dumps(self.redact_json(json.loads(text)), ensure_ascii=False)
        except (ValueError, RecursionError):
            return redacted

    def begun_at(self, text: str) -> int:
        """Where the text may break off within a known value: the place of its longest end that one begins with, or the
        text's length."""
        for place in range(max(0, len(text) - self._longest + 1), len(text)):
            if text[place] in self._firsts and any(spelling.startswith(text[place:]) for spelling in self._spellings):
                return place
        return len(text)


class RedactedStream:
    """Redacts a text that comes in pieces: what may be the beginning of a secret is held back until more has come."""

    def __init__(self, values: SecretValues) -> None:
        self._values = values
        self._held = ""

    def take(self, piece: str) -> str:
        """What may be shown now that this piece has come; may be empty."""
        text = self._values.redact(self._held + piece)
        place = self._values.begun_at(text)
        self._held = text[place:]
        return text[:place]

    def rest(self) -> str:
        """What is still held back: the text has ended."""
        rest, self._held = self._held, ""
        return rest


def _spellings(value: str) -> frozenset[str]:
    found = {value, quote_plus(value), *(quote(value, safe=left) for left in _LEFT_IN_URLS)}
    for ascii_only in (True, False):
        within = json.dumps(value, ensure_ascii=ascii_only)[1:-1]
        found |= {within, json.dumps(within, ensure_ascii=ascii_only)[1:-1]}
    return frozenset(found)


def _digits(value: float) -> str:
    # Whole numbers of more than 4,300 digits have no text.
    return "" if isinstance(value, int) and value.bit_length() > 1024 else str(value)
