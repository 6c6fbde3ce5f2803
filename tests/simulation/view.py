"""One run as one device sees it: a reducer written from the protocol's description alone."""

from dataclasses import dataclass, field
from typing import Any, Final

JsonObject = dict[str, Any]

ENDS: Final = frozenset({"agent_completed", "agent_error", "agent_cancelled"})
ENDED: Final = frozenset({"completed", "failed", "cancelled"})
STILL: Final = frozenset({"queued", "waiting"})
"""In these a run may be silent for as long as it likes."""


@dataclass(eq=False)
class View:
    """What a device holds of a run. `whole`: the last seq before the first gap; `told`: the highest it heard of."""

    run: str
    thread: str
    events: dict[int, str] = field(default_factory=dict)
    kinds: dict[int, str] = field(default_factory=dict)
    whole: int = 0
    told: int = 0
    status: str = "running"
    heard: float = 0.0

    @property
    def done(self) -> bool:
        """The end has come, and nothing before it is missing."""
        return self.kinds.get(self.whole) in ENDS

    @property
    def gap(self) -> bool:
        """Something is known to be missing."""
        return self.told > self.whole or (self.status in ENDED and not self.done)

    def take(self, event: JsonObject, raw: str) -> bool:
        """Takes an event in any order, and drops what is known. Says no to another event at a known seq."""
        seq: int = event["seq"]
        if seq in self.events:
            return self.events[seq] == raw
        self.events[seq] = raw
        self.kinds[seq] = event["type"]
        self.told = max(self.told, seq)
        while self.whole + 1 in self.events:
            self.whole += 1
            self._follow(self.kinds[self.whole])
        return True

    def _follow(self, kind: str) -> None:
        if kind in ENDS:
            self.status = "ended"
        elif kind == "approval_requested":
            self.status = "waiting"
        elif kind != "user_message":
            self.status = "running"

    def silent(self, now: float) -> bool:
        """Nothing was heard of a run that should be heard of."""
        return not self.done and self.status not in STILL and now - self.heard >= 15.0
