"""What no single call meets: deletion by TTL, torn reads, clocks that jump, crowds, a day that passes."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Final

from dayfly.delivery import announcer, audience
from tests.simulation.dice import Dice, replaced
from tests.simulation.weather import NO_BIAS, NO_HAZARD, WILD_S, Bias

DAY_S: Final = 24 * 3600.0
CROWD_CAP: Final = 2
"""Sockets that one thread's events are posted to, in a schedule with a crowd."""
TTL_WITHIN_S: Final = 48 * 3600.0
"""DynamoDB deletes a row within a few days of its expiry, "typically".
Source: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/howitworks-ttl.html"""
OFTEN: Final = {
    "ttl": 0.3,
    "torn_reads": 0.3,
    "clock_steps": 0.1,
    "crowd": 0.06,
    "stuck_long": 0.15,
    "hours": 0.06,
    "uninstalled": 0.06,
    "half_forgotten": 0.04,
}
"""How often a schedule has each, unless there is a bias: then it has those that the bias names, and no others."""


@dataclass
class Hazards:
    """One schedule's. They have random numbers of their own, so that a schedule without any is as it would be if there
    were none. `ttl`: rows are deleted some time after they expire; `torn`: how often a read of several rows reads each
    at a moment of its own; `step_s`: how far a clock jumps; `crowd`: devices that each user has more; `stuck_s`: a
    socket that takes nothing does so for as long; `hours_s`: everybody is away for so long, and comes back;
    `uninstalled`: how often an engine finds its agent not installed; `half_forgotten`: whoever forgets a thread with a
    queue is gone before that is done, and its router dies."""

    dice: Dice
    ttl: bool = False
    torn: float = 0.0
    step_s: float = 0.0
    crowd: int = 0
    stuck_s: float = 0.0
    hours_s: float = 0.0
    uninstalled: float = 0.0
    half_forgotten: bool = False

    @classmethod
    def drawn(cls, seed: int, bias: Bias) -> "Hazards":
        """The hazards of this seed's schedule."""
        hazards = cls(dice := Dice(seed + 2**40))
        drawn = frozenset(name for name, often in OFTEN.items() if dice.chance(often))
        chosen = drawn if bias == NO_BIAS else bias.chances & OFTEN.keys()
        hazards.ttl = "ttl" in chosen
        if "torn_reads" in chosen:
            hazards.torn = dice.pick((0.1, 0.5))
        if "clock_steps" in chosen:
            hazards.step_s = dice.pick((3.0, WILD_S + 20.0))
        if "crowd" in chosen:
            hazards.crowd = 2 + dice.upto(3)
        if "stuck_long" in chosen:
            hazards.stuck_s = dice.pick((60.0, 200.0, 500.0))
        elif NO_HAZARD in bias.chances:
            hazards.stuck_s = 4.0  # the longest that it is without the hazard does what the hazard does
        if "hours" in chosen:
            hours = dice.pick((0.4, 0.8, 5.0, 23.5, 24.5, 26.0, 70.0))
            hazards.hours_s = hours * 3600.0
        if "uninstalled" in chosen:
            hazards.uninstalled = dice.pick((0.1, 0.4))
        hazards.half_forgotten = "half_forgotten" in chosen
        return hazards

    @contextmanager
    def bounds(self) -> Iterator[None]:
        """For the time of the block, a crowd is more than a thread's events are posted to."""
        with ExitStack() as stack:
            for module in (audience, announcer) if self.crowd else ():
                stack.enter_context(replaced(module, "MOST_SOCKETS", CROWD_CAP))
            yield

    def tears(self) -> bool:
        """Whether this read is no snapshot."""
        return self.torn > 0 and self.dice.chance(self.torn)

    def deleted_after(self) -> float | None:
        """Seconds from a row's expiry until it is deleted; `None`: it stays."""
        kind = self.dice.upto(4)
        if kind == 3:
            return None
        return (0.0, self.dice.between(0.0, 120.0), self.dice.between(0.0, TTL_WITHIN_S))[kind]

    def step_ms(self) -> int:
        """How far a clock jumps this time, either way."""
        return round(self.dice.pick((-1, 1)) * self.dice.between(0.5, 1.0) * self.step_s * 1000)
