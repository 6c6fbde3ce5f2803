"""What a client makes of frames: the protocol's rules of order, doubles, gaps and void text, and nothing else."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from tests.live.kit.client import Frame

TERMINAL: Final = frozenset({"agent_completed", "agent_error", "agent_cancelled"})


VOIDS = {
    "agent_resumed": {"agent_delta", "agent_reasoning", "agent_thinking"},
    "agent_retrying": {"agent_delta", "agent_reasoning"},
}
"""The events that carry `discard_after`, and the types of those that it makes void."""


@dataclass
class RunView:
    """One run as far as a client has seen it. Times are seconds of the caller's clock."""

    run_id: str
    thread_id: str
    events: dict[int, Frame] = field(default_factory=dict)
    told: str = "running"
    """Where the backend last said the run stands."""
    reaches: int = 0
    """The highest seq that is known to exist."""
    heard_at: float = 0.0
    rewritten: list[int] = field(default_factory=list)
    """Seqs at which two different events came. There must never be one."""
    held: int = 0
    """The last seq that is held without a gap."""
    first: int = 1
    """The seq from which on events are held: those before it are somebody else's."""

    def take(self, event: Frame, now: float) -> bool:
        """Takes an event; False for one that is held already."""
        seq: int = event["seq"]
        self.heard_at = now
        self.reaches = max(self.reaches, seq)
        known = self.events.get(seq)
        if known is not None:
            if known != event:
                self.rewritten.append(seq)
            return False
        self.events[seq] = event
        self.hold(self.held)
        return True

    def hold(self, seq: int) -> None:
        """Everything up to this seq is held already, here or elsewhere."""
        if seq > self.held:
            self.held, self.first = seq, seq + 1
        while self.held + 1 in self.events:
            self.held += 1

    def hear_of(self, seq: int, now: float) -> None:
        """A heartbeat or an `attached` says how far the run has come."""
        self.heard_at = now
        self.reaches = max(self.reaches, seq)

    @property
    def whole(self) -> bool:
        """Whether everything that is known to exist is held."""
        return self.held >= self.reaches

    @property
    def end(self) -> Frame | None:
        """The terminal event, where all before it is held too."""
        last = self.events.get(self.held)
        return last if last is not None and last["type"] in TERMINAL else None

    @property
    def waiting(self) -> bool:
        """Whether the run waits for the user: asked, and not gone on."""
        last = self.events.get(self.held)
        return last is not None and last["type"] == "approval_requested"

    def ordered(self) -> list[Frame]:
        """The events held without a gap."""
        return [self.events[seq] for seq in range(self.first, self.held + 1)]

    def seen(self) -> list[Frame]:
        """All events that came, with gaps where there are some."""
        return [self.events[seq] for seq in sorted(self.events)]

    def of(self, kind: str) -> list[Frame]:
        """The held events of a type, in order."""
        return [event for event in self.ordered() if event["type"] == kind]

    def said(self) -> str:
        """All text that was streamed and is not void."""
        return "".join(event["payload"]["text"] for event in self._valid() if event["type"] == "agent_delta")

    def answer(self) -> str:
        """The text since the last request to the model: what a completed run's result is."""
        text = ""
        for event in self._valid():
            if event["type"] == "agent_thinking":
                text = ""
            elif event["type"] == "agent_delta":
                text += event["payload"]["text"]
        return text

    def reasoning(self) -> list[str]:
        """What the model reasoned and is not void, for each request in which it did."""
        blocks: list[str] = [""]
        for event in self._valid():
            if event["type"] == "agent_thinking":
                blocks.append("")
            elif event["type"] == "agent_reasoning":
                blocks[-1] += event["payload"]["text"]
        return [block for block in blocks if block]

    def progress(self) -> dict[str, str]:
        """How far each call is that runs now, by its id."""
        told: dict[str, str] = {}
        for event in self.ordered():
            call = event["payload"].get("tool_call_id", "")
            if event["type"] == "tool_progress":
                told[call] = event["payload"]["message"]
            elif event["type"] in {"tool_executing", "tool_completed"}:
                told.pop(call, None)
        return {} if self.end is not None else told

    def _valid(self) -> list[Frame]:
        """The events without the deltas that a retry made void, or a later engine, with its announcements of steps."""
        kept: list[Frame] = []
        for event in self.ordered():
            after = event["payload"].get("discard_after") if event["type"] in VOIDS else None
            if after is not None:
                void = VOIDS[event["type"]]
                kept = [one for one in kept if one["seq"] <= after or one["type"] not in void]
            kept.append(event)
        return kept


@dataclass
class ThreadView:
    """One thread as a device has seen it."""

    thread_id: str
    runs: dict[str, RunView] = field(default_factory=dict)
    forgotten: bool = False

    def run(self, run_id: str) -> RunView:
        """The run's view, made where there is none."""
        return self.runs.setdefault(run_id, RunView(run_id, self.thread_id))

    def cursors(self) -> dict[str, int]:
        """What `attach` should be told: the newest run that is held whole, and those held in part."""
        whole = [run for run in self.runs.values() if run.end is not None]
        newest = max(whole, key=lambda run: str(run.events[1]["timestamp"]), default=None)
        parts = [run for run in self.runs.values() if run.end is None]
        return {run.run_id: run.held for run in ([newest] if newest else []) + parts[-49:]}

    def is_queued(self, run: RunView) -> bool:
        """Whether a run waits behind another: last told so, and another one of the thread has not ended."""
        return run.told == "queued" and any(other.end is None for other in self.runs.values() if other is not run)

    def silent(self, now: float, patience: float) -> bool:
        """Whether a run that should give signs of life has given none for so long."""
        return any(
            run.end is None and not run.waiting and not self.is_queued(run) and now - run.heard_at > patience
            for run in self.runs.values()
        )


def viewed(events: Iterable[Frame]) -> RunView:
    """Consecutive events of a run, the first of which may be any, as a client sees them."""
    events = list(events)
    view = RunView(events[0]["run_id"], events[0]["thread_id"])
    view.hold(events[0]["seq"] - 1)
    for event in events:
        view.take(event, 0.0)
    return view
