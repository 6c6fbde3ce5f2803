"""Every message that was sent, until it has arrived."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from dataclasses import dataclass


@dataclass(frozen=True)
class Entry:
    """`kind` is a kind of traffic; `reader` the connection where it must arrive."""

    kind: str
    reader: int
    sent: float
    digest: str


class Ledger:
    """Tags are numbers of their own: none is used twice."""

    def __init__(self) -> None:
        self.sent: Counter[str] = Counter()
        self.arrived: Counter[str] = Counter()
        self.wrong: Counter[str] = Counter()
        self.waits_s: list[float] = []
        self._open: dict[int, Entry] = {}
        self._by_reader: Counter[int] = Counter()
        self._next = 0

    def send(self, kind: str, *, reader: int, digest: str = "") -> int:
        """Enter a message that is about to be sent; returns its tag."""
        self._next += 1
        self._open[self._next] = Entry(kind, reader, time.monotonic(), digest)
        self._by_reader[reader] += 1
        self.sent[kind] += 1
        return self._next

    def arrive(self, tag: int, *, reader: int, digest: str = "") -> None:
        """Cross out a message; twice, elsewhere or changed is wrong."""
        entry = self._open.pop(tag, None)
        if entry is None:
            self.wrong["arrived twice"] += 1
            return
        self._by_reader[entry.reader] -= 1
        if entry.reader != reader:
            self.wrong["arrived elsewhere"] += 1
        elif entry.digest != digest:
            self.wrong["arrived changed"] += 1
        else:
            self.arrived[entry.kind] += 1
            self.waits_s.append(time.monotonic() - entry.sent)

    def lost(self, *, older_than_s: float = 0.0) -> Counter[str]:
        """What has not arrived, by kind."""
        before = time.monotonic() - older_than_s
        return Counter(entry.kind for entry in self._open.values() if entry.sent <= before)

    def expects(self, reader: int) -> bool:
        """Whether a message for this connection is on its way."""
        return self._by_reader[reader] > 0

    async def settled(self, bound_s: float, reader: int | None = None) -> bool:
        """Wait until nothing is on its way, for anybody or for one connection; False if that takes too long."""
        until = time.monotonic() + bound_s
        while self._open if reader is None else self.expects(reader):
            if time.monotonic() > until:
                return False
            await asyncio.sleep(0.05)
        return True
