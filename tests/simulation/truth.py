"""What really happened, noted at the moment of each write and each post, and the rules that hold at every moment."""

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from dayfly.ports.table import Action, Put
from dayfly.runlog.journal import unpack_journal
from dayfly.runlog.messages import AssistantSaid
from dayfly.runlog.rows import CancelRow, LogRow, ThreadRow
from tests.simulation.actors import Actor
from tests.simulation.trace import type_of
from tests.simulation.weather import Kind

JsonObject = dict[str, Any]
TERMINAL: Final = frozenset({"agent_completed", "agent_error", "agent_cancelled"})
INTERRUPT: Final = "interrupt"


@dataclass(eq=False)
class Told:
    """A run as its log tells it."""

    run: str
    user: str
    thread: str
    request: str
    admitted: float
    texts: list[str] = field(default_factory=list)
    types: list[str] = field(default_factory=list)
    rows: list[LogRow] = field(default_factory=list)
    terminal: str | None = None
    ended: float = 0.0
    journalled: set[str] = field(default_factory=set)
    executing: set[str] = field(default_factory=set)
    completed: set[str] = field(default_factory=set)
    approved: set[str] = field(default_factory=set)
    cancelled_at: float | None = None
    moved: float = 0.0
    """When the log last grew."""


@dataclass(eq=False)
class Line:
    """A thread's runs, as the rules of admission and ending want them: one active, the others waiting."""

    user: str
    active: str | None = None
    queue: list[str] = field(default_factory=list)
    interrupts: int = 0
    order: list[str] = field(default_factory=list)
    """Its ended runs, in the order of their ends."""
    forgotten: bool = False


class Truth:
    """The log of all runs, and what was violated."""

    def __init__(self, now: Callable[[], float]) -> None:
        self.runs: dict[str, Told] = {}
        self.threads: dict[str, Line] = {}
        self.logged: dict[str, Told] = {}
        """Every event by its encoded form."""
        self.asked: dict[tuple[str, str], list[JsonObject]] = {}
        """Every frame that clients sent, by user and request id."""
        self.by_request: dict[tuple[str, str], Told] = {}
        self.markers: dict[str, list[Actor]] = {}
        """Who wrote a run's cancel marks."""
        self.barred: set[tuple[str, str]] = set()
        """Requests that were cancelled before they were admitted."""
        self.violations: list[str] = []
        self._now = now

    def violated(self, what: str) -> None:
        """Notes a violation."""
        self.violations.append(f"{self._now():.3f}: {what}")

    # Writes.

    def written(self, actor: Actor, actions: Sequence[Action]) -> None:
        """A write has happened."""
        rows = [action.row for action in actions if isinstance(action, Put)]
        for row in rows:
            if isinstance(row, CancelRow):
                self.markers.setdefault(row.run, []).append(actor)
        for row in rows:
            if isinstance(row, LogRow):
                self._appended(actor, row)
        for row in rows:
            if isinstance(row, ThreadRow):
                self._moved(row)

    def _appended(self, actor: Actor, row: LogRow) -> None:
        told = self.runs.get(row.run)
        if told is None:
            told = self._admitted(row)
            if told is None:
                return
        if row.first != len(told.texts) + 1:
            self.violated(f"{row.run}: a record at seq {row.first} by {actor.name}, when the log had {len(told.texts)}")
            return
        if told.terminal is not None:
            self.violated(f"{row.run}: a record at seq {row.first} by {actor.name} after {told.terminal}")
        told.rows.append(row)
        told.moved = self._now()
        for text in row.events:
            kind = type_of(text)
            told.texts.append(text)
            told.types.append(kind)
            self.logged[text] = told
            if kind.startswith("tool_"):
                call = json.loads(text)["payload"]["tool_call_id"]
                (told.executing if kind == "tool_executing" else told.completed).add(call)
            if kind in TERMINAL:
                self._ended(told, kind)
        if row.last != len(told.texts):
            self.violated(f"{row.run}: the record at seq {row.first} says that it ends at {row.last}")
        active = self.threads[told.thread].active
        if actor.kind is Kind.ENGINE and active != row.run and told.terminal is None:
            self.violated(f"{row.run}: {actor.name} writes, but the thread's turn is {active}'s")
        for entry in unpack_journal(row.journal):
            if isinstance(entry.message, AssistantSaid):
                told.journalled.update(call.call_id for call in entry.message.calls)

    def _admitted(self, row: LogRow) -> Told | None:
        first = json.loads(row.events[0])
        if row.first != 1 or first["type"] != "user_message":
            self.violated(f"{row.run}: its log begins with {first['type']} at seq {row.first}")
            return None
        request = first["payload"]["request_id"]
        told = Told(row.run, row.user, first["thread_id"], request, self._now())
        self.runs[row.run] = told
        text = first["payload"]["text"]
        frame = next((sent for sent in self.asked.get((row.user, request), ()) if sent.get("text") == text), None)
        if frame is None:
            self.violated(f"{row.run}: nobody has asked for it")
            return None
        if (row.user, request) in self.barred:
            self.violated(f"{row.run}: admitted, but its request {request} was cancelled before")
        if (twin := self.by_request.get((row.user, request))) is not None:
            self.violated(f"{row.run}: request {request} runs twice, first as {twin.run}")
        self.by_request[row.user, request] = told
        self._line_up(told, interrupts=frame.get("if_busy") == INTERRUPT)
        return told

    def _line_up(self, told: Told, *, interrupts: bool) -> None:
        line = self.threads.setdefault(told.thread, Line(told.user))
        if line.user != told.user:
            self.violated(f"{told.run}: in another user's thread")
        if line.forgotten:
            self.violated(f"{told.run}: admitted to a forgotten thread")
        if line.active is None:
            line.active = told.run
        elif interrupts:
            line.queue.insert(line.interrupts, told.run)
            line.interrupts += 1
        else:
            line.queue.append(told.run)

    def _ended(self, told: Told, kind: str) -> None:
        told.terminal, told.ended = kind, self._now()
        line = self.threads[told.thread]
        line.order.append(told.run)
        if line.active == told.run:
            line.active = None
            if line.queue and not line.forgotten:
                self._leave(line, line.queue[0], active=True)
        elif told.run in line.queue:
            self._leave(line, told.run, active=False)

    def _leave(self, line: Line, run: str, *, active: bool) -> None:
        place = line.queue.index(run)
        del line.queue[place]
        line.interrupts -= place < line.interrupts
        if active:
            line.active = run

    def _moved(self, row: ThreadRow) -> None:
        line = self.threads.get(row.thread)
        if line is None:
            self.violated(f"{row.thread}: a thread without a run")
            return
        line.forgotten = line.forgotten or row.state == "forgotten"
        if (row.active_run, list(row.queue)) != (line.active, line.queue):
            self.violated(
                f"{row.thread}: has {row.active_run} and {list(row.queue)}, not {line.active} and {line.queue}"
            )

    # Posts.

    def posted(self, user: str, connection: str, frame: JsonObject, raw: str) -> None:
        """A frame is on its way to a connection of this user."""
        if "seq" in frame:
            told = self.logged.get(raw)
            if told is None:
                self.violated(f"{frame['run_id']}: {frame['type']} {frame['seq']} was posted, but is not in the log")
                return
            owner = told.user
        elif "run_id" in frame and frame["run_id"] in self.runs:
            told = self.runs[frame["run_id"]]
            owner = told.user
            if frame.get("last_seq", 0) > len(told.texts):
                self.violated(f"{told.run}: a heartbeat tells of seq {frame['last_seq']}, which is not in the log")
        elif "thread" in frame:
            owner = self.threads[frame["thread"]["thread_id"]].user
        elif (user, frame.get("id")) in self.asked:
            owner = user
        else:
            self.violated(f"{connection} of {user} was sent what nobody asked for: {raw[:200]}")
            return
        if owner != user:
            self.violated(f"{connection} of {user} was sent what is {owner}'s: {raw[:200]}")

    # Requests.

    def asks(self, user: str, frame: JsonObject) -> None:
        """A client sends a request for the first time."""
        sent = self.asked.setdefault((user, frame["id"]), [])
        if frame not in sent:
            sent.append(frame)
        if frame["action"] == "approve" and frame["approved"] and frame["run_id"] in self.runs:
            self.runs[frame["run_id"]].approved.add(frame["tool_call_id"])

    def answered(self, user: str, frame: JsonObject, reply: JsonObject) -> None:
        """A client has its answer: what it promises must hold."""
        told = self.by_request.get((user, frame["id"]))
        if reply["type"] == "accepted":
            if told is None or (told.run, told.thread) != (reply["run_id"], reply["thread_id"]):
                self.violated(f"{frame['id']} was accepted as {reply['run_id']}, but runs as {told and told.run}")
            elif json.loads(told.texts[0])["payload"]["text"] != frame["text"]:
                self.violated(f"{frame['id']} was accepted, but {told.run} runs another text")
        elif frame["action"] == "run" and reply["code"] == "cancelled" and told is not None:
            self.violated(f"{frame['id']} was answered with cancelled, but runs as {told.run}")
        elif reply["type"] == "cancelling" and "run_id" not in reply:
            self.barred.add((user, frame["request_id"]))
            if (user, frame["request_id"]) in self.by_request:
                self.violated(f"{frame['id']} found no run of {frame['request_id']}, which is there")
        elif reply["type"] == "error" and reply["code"] == "internal":
            self.violated(f"{frame['id']}: {frame['action']} was answered with internal")

    def unended(self) -> Iterable[Told]:
        """Runs without an end."""
        return [told for told in self.runs.values() if told.terminal is None]
