"""Who may write a run's log, one attempt after the other, and how soon a lost engine's run goes on."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from dayfly.store import keys
from dayfly.text import rfc3339
from tests.simulation.actors import Actor
from tests.simulation.gateway import Connection
from tests.simulation.programs import Manner, Program
from tests.simulation.truth import TEXTS, Appended, JsonObject, Told
from tests.simulation.weather import RECOVERY, Kind

if TYPE_CHECKING:
    from tests.simulation.world import World

AFTER_NOTICE_S: Final = 5.0
"""Within this time a notice that is neither lost nor late has a lost engine's run taken up."""
AFTER_LOSS_S: Final = 90.0
HEARD_S: Final = 7.0
"""A heartbeat comes every 5 s, to a new watcher at once."""
IDLE_S: Final = 5.0
CANCEL_S: Final = 1.2
"""Half a second until the mark is seen, and what the end takes."""


@dataclass(eq=False)
class Attempted:
    """A run's attempts. `holder`: the engine that has begun the present one; `lost`: when it died with the run in its
    hands; `nonces`: those whose time is over."""

    attempt: int = 1
    nonce: str | None = None
    nonces: set[str] = field(default_factory=set)
    holder: Actor | None = None
    lost: float | None = None
    marked: float | None = None
    last: Actor | None = None
    waiting: bool = False
    expires: str = ""
    dirty_sweeps: int = 0
    dirty_notice: bool = False


class Attempts:
    """All runs' attempts."""

    def __init__(self, world: "World") -> None:
        self.runs: dict[str, Attempted] = {}
        self._world = world
        self._truth = world.truth
        world.truth.listeners.append(self._appended)

    # What is written.

    def _appended(self, appended: Appended) -> None:
        told, actor = appended.told, appended.actor
        run = self.runs.setdefault(told.run, Attempted())
        if run.lost is not None:
            self._taken_up(told, run)
        if appended.row.nonce in run.nonces:
            self._truth.violated(f"{told.run}: {actor.name} writes at {appended.row.first}, after it was fenced off")
        if appended.row.nonce != run.nonce:
            if run.nonce is not None:
                run.nonces.add(run.nonce)
            run.nonce = appended.row.nonce
        if actor.kind is Kind.ENGINE:
            if run.holder not in {None, actor}:
                self._truth.violated(f"{told.run}: {actor.name} writes in the attempt of {run.holder}")
            run.holder = run.last = actor
        for kind, payload in appended.events:
            if kind == "agent_resumed":
                self._fenced(appended, run, payload)
            elif kind == "approval_requested":
                self._asked(told, run, payload)
            elif kind == "agent_retrying":
                self._retried(told, payload["discard_after"])
        if told.terminal is not None:
            self._ended(appended, run)
            run.holder = None

    def _retried(self, told: Told, after: int) -> None:
        """Void is what came of the request: since the last response, or since this attempt began, which had voided the
        rest."""
        if after not in told.completions and told.types[after - 1] != "agent_resumed":
            self._truth.violated(f"{told.run}: a retry voids all after {after}, where no response ended")

    def _asked(self, told: Told, run: Attempted, payload: JsonObject) -> None:
        call, run.expires = payload["tool_call_id"], payload["expires_at"]
        if call in told.requested:
            self._truth.violated(f"{told.run}: asks for {call} once more")
        told.requested.add(call)
        run.holder, run.waiting = None, True

    def _fenced(self, appended: Appended, run: Attempted, payload: JsonObject) -> None:
        told = appended.told
        if payload["attempt"] != run.attempt + 1:
            self._truth.violated(f"{told.run}: attempt {payload['attempt']} after {run.attempt}")
        run.attempt = payload["attempt"]
        if payload["reason"] == "engine_lost":
            self._was_lost(appended, run)
        elif (payload["reason"] in {"answered", "expired"}) is not run.waiting:
            self._truth.violated(f"{told.run}: goes on because of {payload['reason']}, waiting: {run.waiting}")
        if (
            payload["reason"] == "expired"
            and not appended.actor.stepped
            and run.expires > rfc3339(appended.actor.now_ms())
        ):
            self._truth.violated(f"{told.run}: goes on without an answer, before {run.expires}")
        run.waiting = False
        before = appended.row.last - 1
        # What was said before a retry is void already.
        tried = [seq for seq, kind in enumerate(told.types, 1) if kind == "agent_retrying"]
        since = max(told.completed_seq, *tried[-1:], 0)
        late = [seq for seq in range(since + 1, before + 1) if told.types[seq - 1] in TEXTS]
        voids = payload.get("discard_after")
        if late and (voids is None or voids >= late[0]):
            self._truth.violated(f"{told.run}: goes on after {before}, and the text at {late} is not void")
        if voids is not None and voids < told.completed_seq:
            self._truth.violated(f"{told.run}: voids all after {voids}, but {told.completed_seq} was completed")
        run.holder = None

    def _was_lost(self, appended: Appended, run: Attempted) -> None:
        """Recovery may take a run only from an engine that died, failed, stood still, or could not renew its lease."""
        holder = run.holder
        if self._world.weather.wild:
            return
        if holder is None or (holder.alive and holder.error is None and not holder.paused_s and not holder.cut_off):
            name = holder.name if holder is not None else "nobody"
            self._truth.violated(f"{appended.told.run}: {appended.actor.name} took it from {name}, who was well")

    def _ended(self, appended: Appended, run: Attempted) -> None:
        told = appended.told
        if appended.actor.kind in RECOVERY and told.code in {"engine_lost", "engine_timeout"}:
            self._was_lost(appended, run)
        holder = run.holder
        if run.marked is None or holder is None or holder.faults or holder is not appended.actor:
            return
        if Program.of(told.frame["text"]).manner is not Manner.STUBBORN and holder.born < run.marked:
            took = self._world.loop.now - run.marked
            if took > CANCEL_S:
                self._truth.violated(f"{told.run}: ended {took:.1f} s after it was cancelled, by a healthy engine")

    def marked(self, run: str) -> None:
        """A cancel mark was written."""
        attempted = self.runs.get(run)
        if attempted is not None and attempted.marked is None:
            attempted.marked = self._world.loop.now

    def cancel_answered(self, router: Actor, run: str) -> None:
        """A client was told that a run is cancelled: soon no engine is at work on it, and it is not left waiting."""
        if not router.faults and run in self.runs:
            self._world.later(IDLE_S, self._not_left, run)

    def _not_left(self, run: str) -> None:
        attempted, told = self.runs[run], self._truth.runs[run]
        harmed = attempted.last is not None and attempted.last.faults
        waits = told.terminal is None and attempted.waiting and not harmed
        if waits and attempted.marked is not None and self._world.loop.now - attempted.marked >= IDLE_S:
            self._truth.violated(f"{run}: was cancelled, and waits for its user all the same")

    def silent(self, device: str, connection: Connection | None, run: str, *, since: float) -> None:
        """A device that watches has heard nothing since then: a healthy engine would have told it that it lives."""
        attempted, now = self.runs.get(run), self._world.loop.now
        holder = attempted.holder if attempted is not None else None
        if holder is None or holder.over or holder.faults or connection is None or not connection.heard:
            return
        told = self._truth.runs[run]
        key = keys.socket_of_thread_key(told.user, told.thread, connection.name)
        if key not in self._world.store.held and key not in self._world.expiry.taken:
            return  # a detach of an earlier time has come last: frames overtake each other
        if not self._world.posts.has_room(told.user, told.thread, connection.name):
            return
        if now - max(since, holder.born, connection.stuck_until) > HEARD_S:
            self._truth.violated(f"{device} has heard nothing of {run} since {since:.1f}, though {holder} is well")

    # Losses.

    def engine_gone(self, actor: Actor) -> None:
        """An engine has failed. If it had a run in its hands, somebody has to take that up."""
        run = self.runs.get(actor.subject)
        if run is not None and run.holder is actor:
            run.lost, run.dirty_sweeps, run.dirty_notice = self._world.loop.now, 0, False

    def notice_on_its_way(self, actor: Actor) -> None:
        """The notice of a failed engine will come, and in time."""
        run = self.runs.get(actor.subject)
        if run is not None and run.lost is not None and run.holder is actor:
            self._world.later(AFTER_NOTICE_S, self._still_lost, run, actor, run.lost)

    def _still_lost(self, run: Attempted, actor: Actor, since: float) -> None:
        """Nobody has taken it up. That can be where a notice met a fault, or a write of the dead may still land."""
        if run.lost != since or run.dirty_notice or actor.haunts:
            return
        if not any(one.faults for one in self._world.platform.recovering if one.subject == actor.subject):
            self._truth.violated(f"{actor.subject}: lost with {actor.name}, and nobody has it after {AFTER_NOTICE_S} s")

    def swept(self, sweep: Actor) -> None:
        """A sweep is over: one that met a fault may have missed what is due."""
        for run in self.runs.values():
            if run.lost is not None and not sweep.clean:
                run.dirty_sweeps += 1

    def noticed(self, notice: Actor, invocation: str) -> None:
        """A notice has been handled. If nothing went wrong with that, the run is taken up."""
        run = self.runs.get(notice.subject)
        if run is None or run.lost is None or run.holder is None or run.holder.name != invocation:
            return
        run.dirty_notice = run.dirty_notice or not notice.clean
        if notice.clean and not run.holder.haunts:
            self._truth.violated(f"{notice.subject}: {notice.name} left it, though {run.holder.name} is dead")

    def _taken_up(self, told: Told, run: Attempted) -> None:
        assert run.lost is not None
        took = self._world.loop.now - run.lost
        dirty = run.dirty_sweeps + sum(actor.faults > 0 for actor in self._world.platform.recovering)
        if took > AFTER_LOSS_S + 60.0 * dirty + 2 * self._world.weather.skew_s + 1.0:
            self._truth.violated(f"{told.run}: lost for {took:.1f} s, with {dirty} faulty sweeps")
        run.lost = None
