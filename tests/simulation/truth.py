"""What really happened: each run as its log tells it, each request as clients sent it, and what was violated."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from dayfly.log.journal import journal_owner, unpack_journal
from dayfly.log.messages import AssistantSaid
from dayfly.store import keys
from dayfly.store.keys import Key
from dayfly.store.rows import LogRow, PartRow, Row
from dayfly.store.table import Action, Put
from tests.simulation.actors import Actor
from tests.simulation.trace import type_of

JsonObject = dict[str, Any]
TERMINAL: Final = frozenset({"agent_completed", "agent_error", "agent_cancelled"})
TEXTS: Final = frozenset({"agent_delta", "agent_reasoning"})
"""Pieces of what the model writes: of its answer, and of its reasoning."""
_PLAIN: Final = frozenset({"agent_delta", "agent_thinking", "agent_started"})


@dataclass(eq=False)
class Told:
    """A run as its log tells it. `frame` is the client's that brought it."""

    run: str
    user: str
    thread: str
    frame: JsonObject
    admitted: float
    texts: list[str] = field(default_factory=list)
    types: list[str] = field(default_factory=list)
    rows: list[LogRow] = field(default_factory=list)
    terminal: str | None = None
    code: str | None = None
    """With `agent_error`: its code."""
    ended: float = 0.0
    completed_seq: int = 1
    """The last seq that a journal entry completes."""
    completions: set[int] = field(default_factory=lambda: {1})
    """All such seqs."""
    journalled: set[str] = field(default_factory=set)
    executing: set[str] = field(default_factory=set)
    completed: set[str] = field(default_factory=set)
    requested: set[str] = field(default_factory=set)
    """Calls for which approval was asked."""
    approved: set[str] = field(default_factory=set)
    """Calls that a client has said yes to."""


@dataclass(frozen=True)
class Appended:
    """A record that has been written. `events` are those of its events that say more than their type, by type."""

    actor: Actor
    row: LogRow
    told: Told
    events: tuple[tuple[str, JsonObject], ...]

    @property
    def is_first(self) -> bool:
        """The run was admitted with it."""
        return self.row.first == 1


def joined(rows: Mapping[Key, Row], user: str, owner: str, count: int) -> bytes:
    """A value that lies in parts."""
    parts = [rows[keys.part_key(user, owner, place)] for place in range(count)]
    return b"".join(part.data for part in parts if isinstance(part, PartRow))


class Truth:
    """The logs of all runs. Whoever has rules about them listens."""

    def __init__(self, now: Callable[[], float], rows: Mapping[Key, Row]) -> None:
        self.runs: dict[str, Told] = {}
        self.logged: dict[str, Told] = {}
        """Every event by its encoded form."""
        self.asked: dict[tuple[str, str], list[JsonObject]] = {}
        """Every frame that clients sent, by user and request id."""
        self.violations: list[str] = []
        self.reached: set[str] = set()
        """What has happened at all, by name: that the schedules come to everything is a promise, too."""
        self.listeners: list[Callable[[Appended], None]] = []
        self.now = now
        self._rows = rows

    def violated(self, what: str) -> None:
        """Notes a violation."""
        self.violations.append(f"{self.now():.3f}: {what}")

    def written(self, actor: Actor, actions: Sequence[Action]) -> None:
        """A write has happened: takes its log record, if it has one."""
        for action in actions:
            if isinstance(action, Put) and isinstance(action.row, LogRow):
                appended = self._appended(actor, action.row)
                if appended is not None:
                    for listener in self.listeners:
                        listener(appended)

    def _appended(self, actor: Actor, row: LogRow) -> Appended | None:
        told = self.runs.get(row.run_id) or self._admitted(row)
        if told is None:
            return None
        if row.first != len(told.texts) + 1:
            self.violated(
                f"{row.run_id}: a record at seq {row.first} by {actor.name}, when the log had {len(told.texts)}"
            )
            return None
        if told.terminal is not None:
            self.violated(f"{row.run_id}: a record at seq {row.first} by {actor.name} after {told.terminal}")
        told.rows.append(row)
        events: list[tuple[str, JsonObject]] = []
        for text in row.events:
            kind = type_of(text)
            told.texts.append(text)
            told.types.append(kind)
            self.logged[text] = told
            if kind not in _PLAIN:
                events.append((kind, json.loads(text)["payload"]))
        if row.last != len(told.texts):
            self.violated(f"{row.run_id}: the record at seq {row.first} says that it ends at {row.last}")
        self._note(told, row, events)
        return Appended(actor, row, told, tuple(events))

    def _note(self, told: Told, row: LogRow, events: list[tuple[str, JsonObject]]) -> None:
        for kind, payload in events:
            why = payload.get("code") or payload.get("reason") or payload.get("status")
            self.reached.add(f"{kind} {why}" if why else kind)
            if kind == "tool_executing":
                told.executing.add(payload["tool_call_id"])
            elif kind == "tool_progress" and payload["tool_call_id"] not in told.executing - told.completed:
                self.violated(f"{row.run_id}: {payload['tool_call_id']} tells how far it is, and does not run")
            elif kind == "tool_completed":
                told.completed.add(payload["tool_call_id"])
            elif kind in TERMINAL:
                told.terminal, told.ended, told.code = kind, self.now(), payload.get("code")
        for entry in unpack_journal(self._journal(row)):
            told.completed_seq = max(told.completed_seq, entry.completes)
            told.completions.add(entry.completes)
            if isinstance(entry.message, AssistantSaid):
                told.journalled.update(call.call_id for call in entry.message.calls)

    def _journal(self, row: LogRow) -> bytes:
        """A record's journal, wherever it lies."""
        if not row.journal_parts:
            return row.journal
        return joined(self._rows, row.user_id, journal_owner(row.run_id, row.nonce, row.ordinal), row.journal_parts)

    def _admitted(self, row: LogRow) -> Told | None:
        first = json.loads(row.events[0])
        if row.first != 1 or first["type"] != "user_message":
            self.violated(f"{row.run_id}: its log begins with {first['type']} at seq {row.first}")
            return None
        text, request = first["payload"]["text"], first["payload"]["request_id"]
        frame = next((sent for sent in self.asked.get((row.user_id, request), ()) if sent.get("text") == text), None)
        if frame is None:
            self.violated(f"{row.run_id}: nobody has asked for it")
            return None
        told = self.runs[row.run_id] = Told(row.run_id, row.user_id, first["thread_id"], frame, self.now())
        return told
