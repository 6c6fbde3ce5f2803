"""Everything random in a schedule comes from its seed, also what the core draws for itself."""

import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

from dayfly.context import ids
from dayfly.store import retry

T = TypeVar("T")


class Dice(random.Random):
    """One stream of random numbers."""

    def chance(self, probability: float) -> bool:
        """Says yes so often."""
        return self.random() < probability

    def between(self, low: float, high: float) -> float:
        """A number of the interval."""
        return low + (high - low) * self.random()

    def pick(self, options: Sequence[T]) -> T:
        """One of the options."""
        return options[int(self.random() * len(options))]

    def upto(self, most: int) -> int:
        """A whole number from 0 on, below `most`."""
        return int(self.random() * most)

    def weighted(self, options: Sequence[tuple[float, T]]) -> T:
        """One of the options, by weight."""
        at = self.random() * sum(weight for weight, _ in options)
        for weight, option in options:
            at -= weight
            if at < 0:
                return option
        return options[-1][1]


class Secrets:
    """What the core asks of `secrets`."""

    def __init__(self, dice: Dice) -> None:
        self._dice = dice

    def token_urlsafe(self, nbytes: int) -> str:
        """A name of the usual length."""
        return f"{self._dice.getrandbits(88):022x}"

    def choice(self, options: Sequence[T]) -> T:
        """One of the options."""
        return self._dice.pick(options)


@contextmanager
def replaced(module: object, name: str, value: object) -> Iterator[None]:
    """For the time of the block, a module, a class or an object has another thing under this name."""
    missing = object()
    before = vars(module).get(name, missing)
    assert before is not missing or hasattr(type(module), name), f"there is no {name}"
    setattr(module, name, value)
    try:
        yield
    finally:
        if before is missing:
            delattr(module, name)
        else:
            setattr(module, name, before)


@contextmanager
def loaded(dice: Dice) -> Iterator[None]:
    """For the time of the block, the core's own random numbers are these."""
    with replaced(ids, "secrets", Secrets(dice)), replaced(retry, "random", dice):
        yield
