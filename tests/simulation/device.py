"""A client: one device of one user, written from the protocol's description alone. Nothing of dayfly is imported; what
it knows came as bytes over its socket."""

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from tests.simulation.view import JsonObject, View

if TYPE_CHECKING:
    from tests.simulation.gateway import Connection
    from tests.simulation.world import World

ANSWER_S: Final = 6.0
"""How long a request is waited for before it is sent again, with the same id."""
SILENCE_S: Final = 15.0
RETRYABLE: Final = frozenset({"unavailable", "internal"})


@dataclass(eq=False)
class Watched:
    """A thread that the device wants to see, or once wanted to: the id of the `attach` under way, and whether one was
    answered. `anchor` is the newest run before which nothing is missing, as it was when the device last stopped
    watching; `start` is where a replay that was cut goes on. Runs that had ended
    before `since`, when the device began to watch, are history to it, unless it named `base` or an older one then."""

    asking: str | None = None
    attached: bool = False
    wanted: bool = True
    anchor: str | None = None
    start: str | None = None
    since: float = 0.0
    base: str | None = None
    answered: float = 0.0


@dataclass(eq=False)
class Pending:
    """A request without an answer."""

    frame: JsonObject
    sent: int = 0


class Device:
    """One socket at a time, and what is known across them."""

    def __init__(self, world: "World", name: str, user: str, *, thorough: bool = False) -> None:
        self.name = name
        self.user = user
        self.thorough = thorough
        """It names all that it holds from the oldest run on that it has to name, and begins there again where a replay
        is cut."""
        self.connection: Connection | None = None
        self.wanted = False
        """It shall be connected."""
        self.watched: dict[str, Watched] = {}
        self.views: dict[str, View] = {}
        self.pending: dict[str, Pending] = {}
        self.answers: dict[str, JsonObject] = {}
        """The last answer to each request."""
        self.listed: set[str] = set()
        self.history: dict[str, list[JsonObject]] = {}
        """What was read back of each thread, oldest first."""
        self._world = world
        self._numbers = 0
        self._silence_armed = False
        self._suspecting: set[str] = set()

    # The socket.

    def connect(self) -> None:
        """Opens a socket, if there is none."""
        self.wanted = True
        if self.connection is None:
            self._world.gateway.connect(self)

    def opened(self, connection: "Connection") -> None:
        """The socket is open: everything that is wanted is asked for again."""
        if not self.wanted or self.connection is not None:
            self._world.gateway.close(connection, known=True)
            return
        self.connection = connection
        for request in list(self.pending):
            if self.pending[request].frame["action"] == "attach":
                del self.pending[request]
            else:
                self._send(request)
        for thread, watched in list(self.watched.items()):
            watched.asking = None
            if watched.wanted:
                self.attach(thread)

    def refused(self) -> None:
        """The socket did not open."""
        self._world.later(1.0, self._again)

    def _again(self) -> None:
        if self.wanted and self.connection is None:
            self.connect()

    def disconnect(self, *, known: bool) -> None:
        """Closes the socket, or loses it without anybody knowing."""
        self.wanted = False
        for thread in self.watched:
            self._anchor(thread)
        if self.connection is not None:
            self._world.gateway.close(self.connection, known=known)
            self.connection = None

    @property
    def settled(self) -> bool:
        """It is connected, has its answers, and misses nothing that it knows of in what it watches."""
        if self.connection is None or self.pending:
            return False
        watching = {thread for thread, watched in self.watched.items() if watched.wanted}
        return all(view.done and not view.gap for view in self.views.values() if view.thread in watching)

    # Requests.

    def ask(self, action: str, *, request: str | None = None, **fields: Any) -> str:
        """Sends a request, and sends it again until it is answered."""
        if request is None:
            self._numbers += 1
            request = f"{self.name}-{self._numbers}"
        frame = {"action": action, "id": request, **fields}
        self._world.requests.asks(self.user, frame)
        self.pending[request] = Pending(frame)
        self._send(request)
        return request

    def send_again(self, frame: JsonObject) -> None:
        """Sends a request of before."""
        self.ask(frame["action"], request=frame["id"], **{k: v for k, v in frame.items() if k not in {"action", "id"}})

    def _send(self, request: str) -> None:
        pending = self.pending.get(request)
        if pending is None:
            return
        pending.sent += 1
        world = self._world
        if self.connection is not None and self.connection.heard:
            world.say(None, lambda: f"{self.name} sends {json.dumps(pending.frame)}")
            body = json.dumps(pending.frame)
            world.later(0.002 + 0.03 * world.dice.random() ** 2, world.platform.frame, self.connection, body)
        world.later(ANSWER_S, self._resend, request, pending.sent)

    def _resend(self, request: str, sent: int) -> None:
        pending = self.pending.get(request)
        if pending is None or pending.sent != sent or self.connection is None:
            return
        if pending.frame["action"] != "attach":
            self._send(request)
            return
        del self.pending[request]
        watched = self.watched.get(pending.frame["thread_id"])
        if watched is not None and watched.asking == request:
            watched.asking = None
            self.attach(pending.frame["thread_id"])

    def attach(self, thread: str) -> None:
        """Asks for all that is missing in a thread."""
        watched = self.watched.setdefault(thread, Watched())
        watched.wanted = True
        if watched.asking is not None or self.connection is None:
            return
        cursors = self._cursors(thread)
        if not watched.attached and watched.anchor is None:
            watched.since, watched.base = self._world.loop.now, min(cursors, default=None)
        watched.asking = self.ask("attach", thread_id=thread, after=cursors)

    def read_back(self, thread: str) -> None:
        """Reads all of a thread's history, page by page."""
        self.history[thread] = []
        self.ask("history", thread_id=thread)

    def _cursors(self, thread: str) -> dict[str, int]:
        """The runs that are not at their end, and the newest that is; where the device has not always watched, the
        newest from before it stopped, and where it has never, the oldest."""
        watched = self.watched[thread]
        views = sorted((view for view in self.views.values() if view.thread == thread), key=lambda view: view.run)
        if watched.start is not None:
            return {view.run: view.whole for view in views if view.run >= watched.start}
        done = [view for view in views if view.done and (watched.anchor is None or view.run <= watched.anchor)]
        known = done[-1:] if watched.attached or watched.anchor is not None else done[:1]
        named = [*known, *(view for view in views if not view.done)]
        if self.thorough and named:
            oldest = min(view.run for view in named)
            named = [view for view in views if view.run >= oldest]
        return {view.run: view.whole for view in named}

    def _anchor(self, thread: str) -> None:
        watched = self.watched[thread]
        if watched.attached:
            done = [view.run for view in self.views.values() if view.thread == thread and view.done]
            watched.anchor = max(done, default=None)
        watched.attached, watched.start = False, None

    def detach(self, thread: str) -> None:
        """Watches a thread no more."""
        self._anchor(thread)
        watched = self.watched[thread]
        watched.wanted = False
        if watched.asking is not None:
            self.pending.pop(watched.asking, None)  # what it is answered says nothing any more
            watched.asking = None
        self.ask("detach", thread_id=thread)

    def forget_views(self, thread: str) -> None:
        """As a page that is loaded anew: it knows nothing of what it saw."""
        self.views = {run: view for run, view in self.views.items() if view.thread != thread}
        if thread in self.watched:
            self.watched[thread] = Watched(wanted=self.watched[thread].wanted)

    # What comes in.

    def receive(self, frame: JsonObject, raw: str) -> None:
        """A frame has come over the socket."""
        kind = frame.get("type")
        if "seq" in frame:
            view = self._view(frame["run_id"], frame["thread_id"])
            if not view.take(frame, raw):
                self._world.truth.violated(f"{self.name}: two events at seq {frame['seq']} of {view.run}")
            if kind == "approval_requested":
                self._world.asked_for_approval(self, frame)
            self._look(view)
        elif kind == "agent_heartbeat":
            view = self._view(frame["run_id"], frame["thread_id"])
            view.told = max(view.told, frame["last_seq"])
            self._look(view)
        elif kind == "thread_changed":
            self._thread(frame["thread"])
        elif frame.get("id") in self.pending:
            self._answered(self.pending[frame["id"]].frame, frame)

    def _view(self, run: str, thread: str) -> View:
        view = self.views.get(run)
        if view is None:
            view = self.views[run] = View(run, thread)
        view.heard = self._world.loop.now
        if not self._silence_armed:
            self._silence_armed = True
            self._world.later(SILENCE_S, self._listen)
        return view

    def _look(self, view: View) -> None:
        """A gap is given a moment to close by itself."""
        watched = self.watched.get(view.thread)
        if watched is None or not watched.wanted or not view.gap or watched.asking is not None:
            return
        if view.thread in self._suspecting:
            return
        self._suspecting.add(view.thread)
        self._world.later(self._world.dice.between(0.1, 0.5), self._suspect, view.thread)

    def _suspect(self, thread: str) -> None:
        self._suspecting.discard(thread)
        watched = self.watched.get(thread)
        gap = any(view.gap for view in self.views.values() if view.thread == thread)
        if gap and watched is not None and watched.wanted:
            self.attach(thread)

    def _listen(self) -> None:
        """Looks for runs that have fallen silent."""
        now = self._world.loop.now
        live = [view for view in self.views.values() if not view.done]
        self._silence_armed = bool(live)
        silent = {view.thread for view in live if view.silent(now)}
        for view in live:
            if view.silent(now):
                self._world.silence(self, view, since=max(view.heard, self.watched_since(view.thread)))
        for thread in [name for name, watched in self.watched.items() if watched.wanted and name in silent]:
            self.attach(thread)
        if live:
            due = min(view.heard for view in live) + SILENCE_S
            self._world.later(max(due - now, 2.0), self._listen)

    def watched_since(self, thread: str) -> float:
        """When the last `attached` came, if it is still watched."""
        watched = self.watched.get(thread)
        return watched.answered if watched is not None and watched.attached else self._world.loop.now

    def _thread(self, item: JsonObject) -> None:
        if item.get("state") == "forgotten":
            self.watched.pop(item["thread_id"], None)
            self.forget_views(item["thread_id"])

    def _answered(self, frame: JsonObject, reply: JsonObject) -> None:
        if reply["type"] == "error" and reply["code"] in RETRYABLE:
            pending = self.pending[frame["id"]]
            self._world.later(0.5, self._resend, frame["id"], pending.sent)
            return
        del self.pending[frame["id"]]
        self.answers[frame["id"]] = reply
        self._world.requests.answered(self.user, frame, reply)
        match frame["action"]:
            case "run" if reply["type"] == "accepted":
                watched = self.watched.setdefault(reply["thread_id"], Watched())
                watched.wanted = True
                if "thread_id" not in frame and not reply["duplicate"]:
                    watched.attached = True  # from the thread's very beginning
                view = self._view(reply["run_id"], reply["thread_id"])
                if not view.done:
                    view.status = reply["status"]
                self._look(view)
            case "attach":
                self._attached(frame, reply)
            case "history" if reply["type"] == "history" and frame["thread_id"] in self.history:
                self.history[frame["thread_id"]][:0] = reply["messages"]
                if "before" in reply:
                    self.ask("history", thread_id=frame["thread_id"], before=reply["before"])
            case "threads" if reply["type"] == "threads":
                self.listed |= {item["thread_id"] for item in reply["items"]}
                if "cursor" in reply:
                    self.ask("threads", cursor=reply["cursor"])

    def _next_start(self, frame: JsonObject, reply: JsonObject) -> str | None:
        """Where a cut replay goes on: at the second run of its range, if the first is here as far as it was told; that
        one is the oldest that the replay surely came to in its order, for later ones may be open ones from behind the
        cut."""
        start: str | None = min(frame["after"], default=None)
        if start is None or self.thorough:
            return start
        span = sorted(told["run_id"] for told in reply["runs"] if told["run_id"] >= start)
        first = {told["run_id"]: told["seq"] for told in reply["runs"]}.get(start, 0)
        whole = start in self.views and self.views[start].whole >= max(first, frame["after"][start])
        return span[1] if whole and len(span) > 1 else start

    def _attached(self, frame: JsonObject, reply: JsonObject) -> None:
        thread = frame["thread_id"]
        watched = self.watched.get(thread)
        if watched is None or watched.asking != frame["id"]:
            return
        watched.asking = None
        if reply["type"] == "error":
            del self.watched[thread]
            if reply["code"] == "run_not_found":
                self._world.truth.violated(f"{self.name}: {frame['after']} is not known in {thread}")
            return
        for told in reply["runs"]:
            view = self._view(told["run_id"], thread)
            view.told = max(view.told, told["seq"])
            if not view.done:
                view.status = told["status"]
        if reply["more"]:
            watched.start = self._next_start(frame, reply)
            self.attach(thread)
            return
        watched.attached, watched.anchor, watched.start = True, None, None
        watched.answered = self._world.loop.now
        for view in self.views.values():
            if view.thread == thread:
                self._look(view)
