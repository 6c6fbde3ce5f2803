"""The end of one invocation's log, for callers of Invoke that ask with `LogType: Tail`."""

from __future__ import annotations

from collections import deque

# https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html#lambda-Invoke-response-LogResult: the last 4 KB
TAIL_BYTES = 4096


class Tail:
    """Keeps the last lines, at most 4 KB of them."""

    def __init__(self) -> None:
        self._lines: deque[bytes] = deque()
        self._size = 0

    def add(self, line: str) -> None:
        """One more line, without its end."""
        text = line.encode() + b"\n"
        self._lines.append(text)
        self._size += len(text)
        while self._size - len(self._lines[0]) >= TAIL_BYTES:
            self._size -= len(self._lines.popleft())

    def value(self) -> bytes:
        """The last 4 KB; the first line may be cut."""
        return b"".join(self._lines)[-TAIL_BYTES:]
