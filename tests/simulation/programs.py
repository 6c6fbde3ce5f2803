"""What agents do in a schedule. A run's text is its program, so that any engine of it can go on with it.

`2 0.1 once:0.5 idem:1 ask:0.2 | 3 0.2` is a response of 2 pieces, 0.1 s before each, which asks for three tools (one
that must run once, an idempotent one, one that needs approval), and then one of 3 pieces, which is the answer. A last
round of `raise`, `nothing`, `hang` or `stubborn` ends in that way.
"""

from dataclasses import dataclass
from enum import StrEnum

from tests.simulation.dice import Dice


class Tool(StrEnum):
    """The kinds of tools."""

    ONCE = "once"
    IDEMPOTENT = "idem"
    ASK = "ask"


class Manner(StrEnum):
    """How a program ends: by itself, or badly."""

    WELL = "well"
    RAISE = "raise"
    NOTHING = "nothing"
    HANG = "hang"
    STUBBORN = "stubborn"


@dataclass(frozen=True, slots=True)
class Planned:
    """A tool call: its kind and the seconds it takes."""

    tool: Tool
    seconds: float


@dataclass(frozen=True, slots=True)
class Round:
    """One model response: so many pieces of text, a pause before each, and what it asks for."""

    pieces: int
    pause: float
    calls: tuple[Planned, ...] = ()


@dataclass(frozen=True, slots=True)
class Program:
    """The rounds of a run."""

    rounds: tuple[Round, ...]
    manner: Manner = Manner.WELL

    @property
    def longest_s(self) -> float:
        """Seconds that its longest step takes."""
        steps = [max(one.pieces, 1) * one.pause for one in self.rounds]
        return max(*steps, *(call.seconds for one in self.rounds for call in one.calls), 0.0)

    @property
    def whole_s(self) -> float:
        """Seconds that all of its steps take."""
        return sum(max(one.pieces, 1) * one.pause + sum(call.seconds for call in one.calls) for one in self.rounds)

    @property
    def text(self) -> str:
        """The program as a user's message."""
        rounds = [
            " ".join([str(one.pieces), f"{one.pause:g}", *(f"{call.tool}:{call.seconds:g}" for call in one.calls)])
            for one in self.rounds
        ]
        return " | ".join([*rounds, *([] if self.manner is Manner.WELL else [self.manner.value])])

    @classmethod
    def of(cls, text: str) -> "Program":
        """Reads a user's message."""
        rounds: list[Round] = []
        manner = Manner.WELL
        for part in text.split(" | "):
            words = part.split()
            if words[0].isalpha():
                manner = Manner(words[0])
                continue
            calls = [word.split(":") for word in words[2:]]
            planned = tuple(Planned(Tool(tool), float(seconds)) for tool, seconds in calls)
            rounds.append(Round(int(words[0]), float(words[1]), planned))
        return cls(tuple(rounds), manner)


def drawn(dice: Dice, *, lifetime_s: float) -> Program:
    """A program: mostly short, sometimes with a step that is longer than an engine lives."""
    rounds: list[Round] = []
    for _ in range(dice.weighted([(4, 0), (4, 1), (1, 2)])):
        kinds = [dice.weighted([(3, Tool.ONCE), (3, Tool.IDEMPOTENT), (2, Tool.ASK)]) for _ in range(1 + dice.upto(2))]
        calls = tuple(Planned(kind, _seconds(dice, lifetime_s)) for kind in kinds)
        rounds.append(Round(dice.upto(3), _pause(dice), calls))
    rounds.append(Round(1 + dice.upto(4), _pause(dice)))
    manner = dice.weighted([(30, Manner.WELL), *((1, bad) for bad in Manner if bad is not Manner.WELL)])
    return Program(tuple(rounds), manner)


def _seconds(dice: Dice, lifetime_s: float) -> float:
    long = dice.weighted([(12, 0.02), (6, 0.4), (2, 2.5), (1, 7.0), (1.5, lifetime_s * 0.7), (0.5, lifetime_s * 1.3)])
    return round(long * dice.between(0.6, 1.4), 2)


def _pause(dice: Dice) -> float:
    return round(dice.weighted([(6, 0.01), (4, 0.08), (2, 0.3), (1, 2.0)]) * dice.between(0.6, 1.4), 3)
