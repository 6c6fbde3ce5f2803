"""What is posted to whom: nothing before it is in the log, nothing to a stranger, and the end to everyone."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final

from dayfly.ports.table import Action, Delete, Put, Span
from dayfly.publisher import audience
from dayfly.runlog import keys
from dayfly.runlog.rows import AttachedRow
from tests.simulation.actors import Actor
from tests.simulation.truth import Appended, JsonObject
from tests.simulation.weather import Kind

if TYPE_CHECKING:
    from tests.simulation.world import World


UNDER_WAY: Final = frozenset({"queued", "running", "waiting"})


class Posts:
    """All frames on their way to clients."""

    def __init__(self, world: "World") -> None:
        self._world = world
        self._truth = world.truth
        self._due: dict[tuple[str, str], str] = {}
        """For each ended run and connection that watched it then: the end that has to be posted there, by whoever ended
        the run or by recovery; not by an `attach`, which the client would have to think of."""
        self._sent: set[tuple[str, str]] = set()
        """Ends that were posted so."""
        self._last: dict[tuple[str, str, str], int] = {}
        """For each writer, connection and run: the seq that arrived last."""
        self._overtaken: set[tuple[str, str, str, int]] = set()
        """Frames that may have been on their way when their connection stopped watching: a post can't be called back,
        so one of each writer may arrive behind what is sent when the connection watches again."""
        world.truth.listeners.append(self._appended)

    def _appended(self, appended: Appended) -> None:
        told = appended.told
        if told.terminal is None:
            return
        for name in self._told(told.user, told.thread):
            self._due[told.run, name] = told.texts[-1]

    def _told(self, user: str, thread: str) -> list[str]:
        """The connections that are told of a thread: those that watch it and are open, as many as there is room for. A
        row that TTL has taken from an open one makes no difference: nobody may rely on that."""
        span = Span.prefix(keys.user_partition(user), keys.live_prefix(thread))
        rows = {row.connection for row in self._world.store.held.span(span) if isinstance(row, AttachedRow)}
        taken = {key.sk for key in self._world.expiry.taken if key.pk == span.pk and span.first <= key.sk <= span.last}
        names = sorted(rows | {sk.rsplit("#", 1)[1] for sk in taken if "#SOCKET#" in sk})
        there = [name for name in names if self._world.gateway.connections[name].open]
        if len(there) > audience.MOST_SOCKETS:
            self._truth.reached.add("sockets: no room")
        told = there[: audience.MOST_SOCKETS]
        if len(names) > audience.MOST_SOCKETS and not set(told) <= set(names[: audience.MOST_SOCKETS]):
            self._truth.reached.add("sockets: room of the gone")
        return told

    def has_room(self, user: str, thread: str, connection: str) -> bool:
        """Whether this one is among those that are told."""
        return connection in self._told(user, thread)

    def written(self, actions: Sequence[Action]) -> None:
        """A write has happened: whoever stopped watching meanwhile need not be sent the end, and may be sent one frame
        late; nor need one for whom there is no room any more."""
        for action in actions:
            if isinstance(action, Put) and isinstance(action.row, AttachedRow):
                told = self._told(action.row.user, action.row.thread)
                for run, name in list(self._due):
                    if self._truth.runs[run].thread == action.row.thread and name not in told:
                        self._due.pop((run, name))
            if isinstance(action, Delete) and "#SOCKET#" in action.key.sk:
                connection = action.key.sk.rsplit("#", 1)[1]
                thread = action.key.sk.split("#")[1]
                for run, name in list(self._due):
                    if name == connection and self._truth.runs[run].thread == thread:
                        del self._due[run, name]
                for (writer, name, run), seq in self._last.items():
                    if name == connection and self._truth.runs[run].thread == thread:
                        self._overtaken.add((writer, connection, run, seq + 1))

    def posted(self, actor: Actor, user: str, connection: str, frame: JsonObject, raw: str) -> None:
        """A frame is on its way to a connection of this user."""
        owner = self._owner(user, frame, raw)
        if owner is None:
            self._truth.violated(f"{connection} of {user} was sent what is neither logged nor asked for: {raw[:200]}")
        elif owner != user:
            self._truth.violated(f"{connection} of {user} was sent what is {owner}'s: {raw[:200]}")
        if "seq" in frame and actor.kind is not Kind.ROUTER:
            self._in_order(actor, connection, frame)
        if "seq" in frame and actor.action != "attach" and raw == self._end(frame["run_id"]):
            self._sent.add((frame["run_id"], connection))
            self._due.pop((frame["run_id"], connection), None)
        elif frame.get("type") == "cancelling" and "run_id" in frame:
            self._world.attempts.cancel_answered(actor, frame["run_id"])
        elif frame.get("type") == "attached" and not actor.paused_s:
            self._promised(user, connection, frame)

    def _in_order(self, actor: Actor, connection: str, frame: JsonObject) -> None:
        """One writer sends each connection a run's events in their order; the end alone may come once more."""
        run, seq = frame["run_id"], frame["seq"]
        before = self._last.get((actor.name, connection, run), 0)
        late = (actor.name, connection, run, seq)
        if seq < before and late in self._overtaken:
            self._overtaken.discard(late)
            return
        self._last[actor.name, connection, run] = seq
        if seq < before:
            self._truth.violated(f"{run}: {actor.name} posts seq {seq} to {connection} after {before}")

    def _end(self, run: str) -> str | None:
        told = self._truth.runs.get(run)
        return told.texts[-1] if told is not None and told.terminal is not None else None

    def _promised(self, user: str, connection: str, frame: JsonObject) -> None:
        """Who is told that a run is under way when it has just ended will hear of that, if it is still there."""
        if not self.has_room(user, frame["thread_id"], connection):
            return
        for run in frame["runs"]:
            end = self._end(run["run_id"])
            if end is not None and run["status"] in UNDER_WAY and (run["run_id"], connection) not in self._sent:
                self._due[run["run_id"], connection] = end

    def _owner(self, user: str, frame: JsonObject, raw: str) -> str | None:
        if "seq" in frame:
            return self._truth.logged[raw].user if raw in self._truth.logged else None
        told = self._truth.runs.get(frame.get("run_id", ""))
        if told is not None and frame.get("last_seq", 0) > len(told.texts):
            self._truth.violated(f"{told.run}: a heartbeat tells of seq {frame['last_seq']}, which is not in the log")
        if told is not None:
            return told.user
        if "thread" in frame:
            return self._world.lines.threads[frame["thread"]["thread_id"]].user
        return user if (user, frame.get("id")) in self._truth.asked else None

    def missing(self) -> Iterator[str]:
        """To be asked in the end: who watched when a run ended, watches still, and was not sent the end."""
        for run, name in self._due:
            if self._world.gateway.connections[name].open:
                yield f"{run}: its end was never posted to {name}, which watched it"
