"""One schedule's world: what all of its actors share."""

from collections.abc import Callable, Sequence
from typing import Any

from dayfly.ports.table import Action, Delete, Put
from dayfly.runlog.keys import Key
from dayfly.runlog.rows import CancelRow, ForgetRow, LeaseRow
from tests.simulation.actors import START_MS, Actor
from tests.simulation.attempts import Attempts
from tests.simulation.device import Device
from tests.simulation.dice import Dice
from tests.simulation.expiry import Expiry
from tests.simulation.gateway import Gateway
from tests.simulation.hazards import Hazards
from tests.simulation.ledger import Ledger
from tests.simulation.lines import Lines
from tests.simulation.loop import SimLoop
from tests.simulation.platform import Platform
from tests.simulation.ports import NOBODY
from tests.simulation.posts import Posts
from tests.simulation.requests import Requests
from tests.simulation.store import Store, at_once
from tests.simulation.story import Story
from tests.simulation.trace import Trace
from tests.simulation.truth import Truth
from tests.simulation.view import JsonObject, View
from tests.simulation.weather import Kind, Weather


class World:
    """The table, the sockets, the functions, and the truth about them."""

    def __init__(
        self,
        loop: SimLoop,
        dice: Dice,
        weather: Weather,
        hazards: Hazards,
        *,
        lifetime_s: float,
        trace: Trace | None,
    ) -> None:
        self.loop = loop
        self.dice = dice
        self.weather = weather
        self.hazards = hazards
        self.trace = trace
        self.troubled = True
        """Faults still happen."""
        self.store = Store(self)
        self.truth = Truth(lambda: loop.now, self.store.held)
        self.lines = Lines(self.truth)
        self.requests = Requests(self.truth, slack_s=2 * weather.skew_s)
        self.ledger = Ledger(self.truth, self.lines)
        self.gateway = Gateway(self)
        self.platform = Platform(self, lifetime_s=lifetime_s)
        self.attempts = Attempts(self)
        self.posts = Posts(self)
        self.expiry = Expiry(self)
        self.story = Story(self)
        self._lags: dict[str, float] = {}
        """How many seconds the index lags behind for each sweep."""
        self.markers: dict[str, list[Actor]] = {}
        """Who wrote a run's cancel marks."""
        self._numbers: dict[Kind, int] = {}
        self._leases: dict[Key, list[tuple[float, LeaseRow | ForgetRow | None]]] = {}

    # The clock of the store.

    def now_ms(self) -> int:
        """The true time."""
        return START_MS + round(self.loop.now * 1000)

    def monotonic(self) -> float:
        """The true time since the beginning."""
        return self.loop.now

    # What happens.

    def later(self, after: float, happens: Callable[..., object], *args: Any) -> None:
        """Something happens in the world, whoever lives or dies meanwhile."""
        self.loop.call_later(after, happens, *args, context=NOBODY)

    def calm(self) -> None:
        """Nothing goes wrong from now on."""
        self.troubled = False
        self.weather.clear()
        self.say(None, lambda: "from here on nothing goes wrong")

    def latency(self) -> float:
        """Seconds that a call takes, one way."""
        return 0.001 + 0.015 * self.dice.random() ** 3

    def name(self, kind: Kind) -> str:
        """The next actor's name."""
        number = self._numbers[kind] = self._numbers.get(kind, 0) + 1
        return f"{kind}-{number}"

    def actor(self, kind: Kind, subject: str) -> Actor:
        """A new invocation, on a machine whose clock may be wrong."""
        skew = self.weather.skew_s
        skew_ms = round(self.dice.between(-skew, skew) * 1000) if skew else 0
        actor = Actor(self.loop, self.name(kind), kind, skew_ms=skew_ms, subject=subject)
        if self.hazards.step_s and self.hazards.dice.chance(0.4):
            self.later(self.hazards.dice.between(0.0, 4.0), self._step, actor)
        return actor

    def _step(self, actor: Actor) -> None:
        if not actor.over:
            by_ms = self.hazards.step_ms()
            actor.step(by_ms)
            self.truth.reached.add(f"{actor.kind}: clock steps {'on' if by_ms > 0 else 'back'}")
            self.say(actor, lambda: f"its clock jumps by {by_ms} ms")

    def say(self, actor: Actor | None, what: Callable[[], str]) -> None:
        """A line for the trace, if there is one."""
        if self.trace is not None:
            self.trace.add(self.loop.now, actor.name if actor is not None else "-", what())

    def asked_for_approval(self, device: Device, event: JsonObject) -> None:
        """A device shows its user a question."""
        self.story.asked_for_approval(device, event)

    def silence(self, device: Device, view: View, *, since: float) -> None:
        """A device has heard nothing of a run for long, though it watches it."""
        self.attempts.silent(device.name, device.connection, view.run, since=since)

    def written(self, actor: Actor, actions: Sequence[Action]) -> None:
        """A write has happened."""
        for action in actions:
            if isinstance(action, Put) and isinstance(action.row, LeaseRow | ForgetRow):
                self._leases.setdefault(action.key, []).append((self.loop.now, action.row))
            elif isinstance(action, Delete) and action.key in self._leases:
                self._leases[action.key].append((self.loop.now, None))
            elif isinstance(action, Put) and isinstance(action.row, CancelRow):
                self.markers.setdefault(action.row.run, []).append(actor)
                self.attempts.marked(action.row.run)
        self.truth.written(actor, actions)
        self.lines.written(actions)
        self.posts.written(actions)
        self.expiry.written(actions)

    # The index.

    def index(self, actor: Actor, shard: str, *, before: int, limit: int) -> tuple[Key, ...]:
        """The lease index: it may lag behind the rows, miss some of them for a while, or name some that are not due."""
        chances = self.weather.chances
        if actor.name not in self._lags:
            lags = self.weather.happens(chances.index_lags)
            self._lags[actor.name] = self.dice.pick((1.0, 15.0, 40.0)) * self.dice.between(0.1, 1.2) if lags else 0.0
        lag, misses = self._lags[actor.name], self.weather.happens(chances.index_misses)
        invents = self.weather.happens(chances.index_invents)
        if not lag and not misses and not invents:
            return at_once(self.store.due_leases(shard, before=before, limit=limit))
        actor.faults += 1
        then = self.loop.now - lag
        due = [row for row in self._leases_at(then) if row.lease_shard == shard and (row.due < before or invents)]
        shown = [row for row in sorted(due, key=lambda row: row.due) if not misses or self.dice.chance(0.5)]
        return tuple(row.key for row in shown[:limit])

    def _leases_at(self, then: float) -> list[LeaseRow | ForgetRow]:
        rows: list[LeaseRow | ForgetRow] = []
        for past in self._leases.values():
            known = [row for at, row in past if at <= then]
            if known and known[-1] is not None:
                rows.append(known[-1])
        return rows
