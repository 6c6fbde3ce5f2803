"""What agents do in a schedule. A run's text is its program, so that any engine of it can go on with it.

`2 0.1 once:0.5 idem:1:2 ask:0.2 | 3 0.2 ~0,0,2` is a response of 2 pieces, 0.1 s before each, which asks for three
tools (one that must run once, an idempotent one that tells twice how far it is, one that needs approval), and then one
of 3 pieces, which is the answer: the model reasons twice before the first of them, and once before the third. With `x2`
behind the pause, a request fails twice before, each time behind a part of that. A last round of `raise`, `nothing`,
`hang` or `stubborn` ends in that way.
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
    """A tool call: its kind, the seconds it takes, and how often it tells how far it is."""

    tool: Tool
    seconds: float
    progress: int = 0

    def __str__(self) -> str:
        return f"{self.tool}:{self.seconds:g}" + (f":{self.progress}" if self.progress else "")


@dataclass(frozen=True, slots=True)
class Round:
    """One model response: so many pieces of text, a pause before each, what it asks for, before which pieces of the
    text (or, by their number, behind all) the model reasons, a piece each, and how often the request fails before."""

    pieces: int
    pause: float
    calls: tuple[Planned, ...] = ()
    reasoning: tuple[int, ...] = ()
    retries: int = 0

    @property
    def streamed_s(self) -> float:
        """Seconds that the response takes."""
        return max(self.pieces + len(self.reasoning), 1) * self.pause * (1 + 2 * self.retries)

    @property
    def order(self) -> str:
        """What the model gives: `[` for a piece of its text, `(` for one of its reasoning."""
        return "".join(
            "(" * self.reasoning.count(place) + "[" * (place < self.pieces) for place in range(self.pieces + 1)
        )

    def __str__(self) -> str:
        reasoning = [f"~{','.join(str(place) for place in self.reasoning)}"] if self.reasoning else []
        retries = [f"x{self.retries}"] if self.retries else []
        return " ".join(
            [str(self.pieces), f"{self.pause:g}", *retries, *reasoning, *(str(call) for call in self.calls)]
        )


@dataclass(frozen=True, slots=True)
class Program:
    """The rounds of a run."""

    rounds: tuple[Round, ...]
    manner: Manner = Manner.WELL

    @property
    def longest_s(self) -> float:
        """Seconds that its longest step takes."""
        steps = [one.streamed_s for one in self.rounds]
        return max(*steps, *(call.seconds for one in self.rounds for call in one.calls), 0.0)

    @property
    def whole_s(self) -> float:
        """Seconds that all of its steps take."""
        return sum(one.streamed_s + sum(call.seconds for call in one.calls) for one in self.rounds)

    @property
    def text(self) -> str:
        """The program as a user's message."""
        return " | ".join(
            [*(str(one) for one in self.rounds), *([] if self.manner is Manner.WELL else [self.manner.value])]
        )

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
            reasoning = [int(place) for word in words if word[0] == "~" for place in word[1:].split(",")]
            retries = sum(int(word[1:]) for word in words if word[0] == "x")
            calls = [word.split(":") for word in words[2:] if ":" in word]
            planned = tuple(Planned(Tool(tool), float(seconds), *map(int, told)) for tool, seconds, *told in calls)
            rounds.append(Round(int(words[0]), float(words[1]), planned, tuple(reasoning), retries))
        return cls(tuple(rounds), manner)


def drawn(dice: Dice, *, lifetime_s: float) -> Program:
    """A program: mostly short, sometimes with a step that is longer than an engine lives."""
    rounds: list[Round] = []
    for _ in range(dice.weighted([(4, 0), (4, 1), (1, 2)])):
        kinds = [dice.weighted([(3, Tool.ONCE), (3, Tool.IDEMPOTENT), (2, Tool.ASK)]) for _ in range(1 + dice.upto(2))]
        calls = tuple(Planned(kind, _seconds(dice, lifetime_s), _progress(dice)) for kind in kinds)
        pieces = dice.upto(3)
        rounds.append(Round(pieces, _pause(dice), calls, _reasoning(dice, pieces), _retries(dice)))
    pieces = 1 + dice.upto(4)
    rounds.append(Round(pieces, _pause(dice), (), _reasoning(dice, pieces), _retries(dice)))
    manner = dice.weighted([(30, Manner.WELL), *((1, bad) for bad in Manner if bad is not Manner.WELL)])
    return Program(tuple(rounds), manner)


def _seconds(dice: Dice, lifetime_s: float) -> float:
    long = dice.weighted([(12, 0.02), (6, 0.4), (2, 2.5), (1, 7.0), (1.5, lifetime_s * 0.7), (0.5, lifetime_s * 1.3)])
    return round(long * dice.between(0.6, 1.4), 2)


def _pause(dice: Dice) -> float:
    return round(dice.weighted([(6, 0.01), (4, 0.08), (2, 0.3), (1, 2.0)]) * dice.between(0.6, 1.4), 3)


def _progress(dice: Dice) -> int:
    return dice.weighted([(3, 0), (1, 1), (1, 3)])


def _retries(dice: Dice) -> int:
    return dice.weighted([(12, 0), (2, 1), (1, 3)])


def _reasoning(dice: Dice, pieces: int) -> tuple[int, ...]:
    """Mostly before the text, if at all; sometimes in the midst of it or behind it."""
    first = dice.weighted([(6, 0), (2, 1), (2, 2)])
    others = dice.weighted([(6, 0), (1, 1), (1, 2)])
    return tuple(sorted([*[0] * first, *(dice.upto(pieces + 1) for _ in range(others))]))
