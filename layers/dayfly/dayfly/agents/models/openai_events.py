"""Reads the body of a streamed chat completion: server-sent events, or the one JSON text of a server that does not
stream.

Source: https://html.spec.whatwg.org/multipage/server-sent-events.html
"""

import json
from collections.abc import Iterator
from typing import Final

from pydantic import JsonValue

from dayfly.agents.models.openai_chunks import ChatChunks

_DONE: Final = b"data: [DONE]\n\n"
_BLANK: Final = b"\xef\xbb\xbf \t\r\n"


class ChatBody:
    """Takes the bytes of one body, and gives server-sent events as OpenAI documents them.

    More is understood than the standard asks for: an event may lack the empty line behind it, or its JSON be followed
    by the next one at once; `[DONE]` may be missing.
    """

    def __init__(self) -> None:
        self.done = False
        """Whether the server has said that nothing follows."""
        self._chunks = ChatChunks()
        self._is_json: bool | None = None
        self._held = b""
        self._data: list[str] = []
        self._event = ""

    @property
    def finished(self) -> bool:
        """Whether nothing but the usage can follow."""
        return self._chunks.finished

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Takes the next bytes; gives the events that they complete."""
        self._held += data
        if self._is_json is None:
            begun = self._held.lstrip(_BLANK)
            if not begun:
                return
            self._is_json = begun[:1] in (b"{", b"[")
        if self._is_json:
            return
        held = self._held.replace(b"\r\n", b"\n")
        if held.endswith(b"\r"):  # maybe half of a line's end
            held, rest = held[:-1], b"\r"
        else:
            rest = b""
        *lines, last = held.replace(b"\r", b"\n").split(b"\n")
        self._held = last + rest
        for line in lines:
            yield from self._line(line)

    def end(self) -> Iterator[bytes]:
        """What is left to give when the body is over."""
        whole = self.done
        if self._is_json:
            value = _loaded(_decoded(self._held))
            whole = value is not None
            for each in value if isinstance(value, list) else [value]:
                yield from self._taken(each)
        else:
            yield from self._line(self._held.rstrip(b"\r"))
            yield from self._line(b"")
            whole = self.done
        yield from map(_written, self._chunks.end(whole=whole))
        yield _DONE

    def _line(self, line: bytes) -> Iterator[bytes]:
        if self.done:
            return
        if not line.strip():
            yield from self._end_of_event()
            return
        name, _, value = _decoded(line).lstrip("\ufeff").partition(":")
        match name.strip():
            case "event":
                self._event = value.strip()
            case "data":
                self._data.append(value.removeprefix(" "))
                yield from self._event_so_far()

    def _event_so_far(self) -> Iterator[bytes]:
        text = "\n".join(self._data).strip()
        if text.startswith("[DONE]"):
            self.done = True
            self._data.clear()
        elif text in ("", "null"):
            self._data.clear()
        elif (value := _loaded(text)) is not None:
            self._data.clear()
            if self._event == "error" and isinstance(value, dict) and not value.get("error"):
                value = {"error": value}
            yield from self._taken(value)

    def _end_of_event(self) -> Iterator[bytes]:
        """The event is over; what has come of it by now is no JSON."""
        left, self._data = "\n".join(self._data).strip(), []
        event, self._event = self._event, ""
        if left and not self.finished:
            told = left if event == "error" else "The server sent an event that is no JSON."
            yield from self._taken({"error": {"message": told}})

    def _taken(self, value: JsonValue) -> Iterator[bytes]:
        yield from map(_written, self._chunks.take(value))


def _decoded(data: bytes) -> str:
    """The text, in which halves of characters are kept: they may be joined later."""
    try:
        return data.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        return data.decode("utf-8", "replace")


def _loaded(text: str) -> JsonValue:
    """The JSON value, with null for the numbers that JSON has not; `None` where it is none."""
    try:
        value: JsonValue = json.loads(text, parse_constant=lambda _: None)
    except (ValueError, RecursionError):
        return None
    return value


def _written(value: dict[str, JsonValue]) -> bytes:
    return b"data: " + json.dumps(value).encode() + b"\n\n"
