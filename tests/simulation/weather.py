"""What goes wrong in a schedule, and how often."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from tests.simulation.dice import Dice


class Port(StrEnum):
    """What is called."""

    READ = "read"
    WRITE = "write"
    POST = "post"
    INVOKE = "invoke"


class Fate(StrEnum):
    """What becomes of one call. `LATE`: the caller is told that it timed out, and it happens after that. `IN_FLIGHT`:
    the caller dies, and it happens all the same, a moment later. `PAUSE`: it happens, and the caller is stopped for
    long before it gets the answer."""

    DONE = "done"
    SLOW = "slow"
    REFUSED = "refused"
    LOST = "answer lost"
    LATE = "late"
    DIES_BEFORE = "caller dies before"
    DIES_AFTER = "caller dies after"
    IN_FLIGHT = "caller dies, call in flight"
    PAUSE = "caller paused"


class Kind(StrEnum):
    """What an actor is."""

    ROUTER = "router"
    ENGINE = "engine"
    NOTICE = "notice"
    SWEEP = "sweep"
    SOCKET = "socket"


RECOVERY: Final = frozenset({Kind.NOTICE, Kind.SWEEP})

_Cause = tuple[frozenset[Kind], frozenset[Port], Fate]
_ALL: Final = frozenset(Kind)
_TABLE: Final = frozenset({Port.READ, Port.WRITE})
_EVERY: Final = frozenset(Port)
_CAUSES: Final[Sequence[_Cause]] = (
    (_ALL, _TABLE, Fate.REFUSED),
    (_ALL, frozenset({Port.WRITE}), Fate.LOST),
    (_ALL, frozenset({Port.WRITE}), Fate.LATE),
    (_ALL, _TABLE, Fate.SLOW),
    (frozenset({Kind.ENGINE}), _EVERY, Fate.DIES_BEFORE),
    (frozenset({Kind.ENGINE}), _EVERY, Fate.DIES_AFTER),
    (frozenset({Kind.ENGINE}), _EVERY, Fate.IN_FLIGHT),
    (frozenset({Kind.ENGINE}), _EVERY, Fate.PAUSE),
    (frozenset({Kind.ENGINE}), frozenset({Port.WRITE}), Fate.PAUSE),
    (frozenset({Kind.ROUTER}), _EVERY, Fate.DIES_BEFORE),
    (frozenset({Kind.ROUTER}), _EVERY, Fate.DIES_AFTER),
    (RECOVERY, _EVERY, Fate.DIES_BEFORE),
    (RECOVERY, _EVERY, Fate.DIES_AFTER),
    (frozenset({Kind.ROUTER, *RECOVERY}), _EVERY, Fate.IN_FLIGHT),
    (frozenset({Kind.ROUTER, *RECOVERY}), _EVERY, Fate.PAUSE),
    (_ALL, frozenset({Port.POST}), Fate.REFUSED),
    (_ALL, frozenset({Port.POST}), Fate.LOST),
    (_ALL, frozenset({Port.POST}), Fate.SLOW),
    (_ALL, frozenset({Port.INVOKE}), Fate.REFUSED),
    (_ALL, frozenset({Port.INVOKE}), Fate.LOST),
    (_ALL, frozenset({Port.INVOKE}), Fate.SLOW),
)
_RARELY_CALLED: Final = {(Kind.ENGINE, Port.INVOKE)} | {
    (kind, port) for kind in RECOVERY for port in Port if port is not Port.READ
}
_RARE: Final = 4.0
"""What is rarely called meets faults that much more often."""
DEADLY: Final = frozenset({Fate.DIES_BEFORE, Fate.DIES_AFTER, Fate.IN_FLIGHT})


@dataclass
class Chances:
    """How often the platform itself misbehaves; each is a probability for one occasion."""

    invocation_twice: float = 0.0
    invocation_lost: float = 0.0
    invocation_late: float = 0.0
    throttled: float = 0.0
    notice_lost: float = 0.0
    notice_late: float = 0.0
    notice_twice: float = 0.0
    sweep_twice: float = 0.0
    sweep_killed: float = 0.0
    index_lags: float = 0.0
    index_misses: float = 0.0
    index_invents: float = 0.0
    struck: float = 0.0
    frame_lost: float = 0.0
    outage: float = 0.0


_PLATFORM: Final = tuple(Chances.__dataclass_fields__)


WILD_S: Final = 100.0
"""Clocks that are wrong by so much spoil all promises of time, and no others."""


@dataclass(frozen=True)
class Bias:
    """What a search for one kind of mistake has more of: faults, misbehaviour of the platform, deeds."""

    fates: frozenset[Fate] = frozenset()
    chances: frozenset[str] = frozenset()
    deeds: frozenset[str] = frozenset()


NO_BIAS: Final = Bias()
NO_HAZARD: Final = "no hazard"
"""Named by a bias that shall have none (`hazards`)."""


@dataclass(frozen=True)
class Outage:
    """A service that answers nobody, or not some, for a while."""

    ports: frozenset[Port]
    kinds: frozenset[Kind]
    since: float
    until: float

    @classmethod
    def drawn(cls, dice: Dice) -> "Outage":
        """Of a few seconds, or of longer than anybody is patient."""
        since = dice.between(0.0, 10.0)
        kinds = dice.pick((_ALL, frozenset({Kind.ENGINE}), RECOVERY, frozenset({Kind.ROUTER})))
        ports = dice.pick((_TABLE, _TABLE, frozenset({Port.WRITE}), frozenset({Port.POST}), frozenset({Port.INVOKE})))
        return cls(ports, kinds, since, since + dice.pick((1.0, 4.0, 12.0, 30.0)))

    def covers(self, kind: Kind, port: Port, now: float) -> bool:
        """Whether a call made now is not answered."""
        return self.since <= now < self.until and port in self.ports and kind in self.kinds


@dataclass
class Weather:
    """One schedule's troubles: some kinds of faults, each at its rate, and so many of them in all."""

    dice: Dice
    chances: Chances = field(default_factory=Chances)
    skew_s: float = 0.0
    budget: int = 0
    rates: dict[tuple[Kind, Port], list[tuple[float, Fate]]] = field(default_factory=dict)
    totals: dict[tuple[Kind, Port], float] = field(default_factory=dict)
    outages: list[Outage] = field(default_factory=list)
    pauses_s: tuple[float, ...] = (1.0, 6.0, 25.0, 45.0, 80.0)

    @property
    def wild(self) -> bool:
        """Clocks are so wrong that nothing can be said of time."""
        return self.skew_s >= WILD_S

    @classmethod
    def drawn(cls, dice: Dice, bias: Bias = NO_BIAS) -> "Weather":
        """The weather of a schedule: in one of eight nothing goes wrong, unless there is a bias to faults."""
        weather = cls(dice)
        if dice.chance(0.125) and not bias.fates and not bias.chances:
            return weather
        weather.budget = 1 + int(dice.random() ** 2 * 12)
        if Fate.PAUSE in bias.fates:
            weather.pauses_s = (45.0, 80.0)
        weather.skew_s = dice.weighted([(4, 0.0), (2, 0.5), (2, 3.0), (1, WILD_S)])
        share = dice.between(0.08, 0.5) if bias == NO_BIAS else dice.between(0.0, 0.1)
        for cause in _CAUSES:
            if cause[2] in bias.fates:
                weather._add(cause, dice.pick((0.02, 0.08)))
            elif dice.chance(share):
                weather._add(cause, dice.pick((0.01, 0.03, 0.1)))
        for name in _PLATFORM:
            if name in bias.chances:
                setattr(weather.chances, name, dice.pick((0.4, 0.8)))
            elif dice.chance(share):
                setattr(weather.chances, name, dice.pick((0.1, 0.3, 0.6)))
        if weather.happens(weather.chances.outage):
            outage = Outage.drawn(dice)
            # Whoever posts can't tell it from sockets that take nothing, which is a hazard.
            if NO_HAZARD not in bias.chances or Port.POST not in outage.ports:
                weather.outages.append(outage)
        return weather

    def _add(self, cause: _Cause, rate: float) -> None:
        kinds, ports, fate = cause
        for kind in Kind:
            for port in Port:
                if kind in kinds and port in ports:
                    often = rate * (_RARE if (kind, port) in _RARELY_CALLED else 1.0)
                    self.rates.setdefault((kind, port), []).append((often, fate))
                    self.totals[kind, port] = self.totals.get((kind, port), 0.0) + often

    def fate(self, kind: Kind, port: Port, *, now: float) -> Fate:
        """What becomes of the next call. A fault uses up a part of the budget."""
        if self.outages and self.out(kind, port, now=now):
            return self.dice.pick((Fate.REFUSED, Fate.REFUSED, Fate.REFUSED, Fate.LOST))
        if not self.budget:
            return Fate.DONE
        total = self.totals.get((kind, port))
        if total is None or self.dice.random() >= total:
            return Fate.DONE
        self.budget -= 1
        return self.dice.weighted(self.rates[kind, port])

    def out(self, kind: Kind, port: Port, *, now: float) -> bool:
        """Whether there is an outage for such a call."""
        return any(outage.covers(kind, port, now) for outage in self.outages)

    def happens(self, probability: float) -> bool:
        """Whether the platform misbehaves on this occasion."""
        if not self.budget or not probability or not self.dice.chance(probability):
            return False
        self.budget -= 1
        return True

    def clear(self) -> None:
        """From now on nothing goes wrong."""
        self.budget = 0
        self.chances = Chances()
        self.outages = []
