"""What a variant is, and where to look for what it breaks."""

from collections.abc import Callable, Set
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Any, Protocol

from dayfly.store.rows import Row
from dayfly.store.table import Matches, Put
from tests.simulation.hazards import OFTEN
from tests.simulation.weather import NO_HAZARD, Bias, Fate


class Variant(Protocol):
    """Breaks the core for the time of its block."""

    __name__: str

    def __call__(self) -> AbstractContextManager[None]:
        """The block."""


class Broken:
    """A variant, with a seed that is known to find it, and the bias of the search. The known seed is a short cut: after
    an unrelated change of the core it may find nothing, and the search goes on."""

    def __init__(
        self,
        make: Variant,
        seed: int,
        *,
        fates: Set[Fate] = frozenset(),
        chances: Set[str] = frozenset(),
        deeds: Set[str] = frozenset(),
    ) -> None:
        self.name = make.__name__
        self.make = make
        self.seed = seed
        self.bias = Bias(frozenset(fates), frozenset(chances), frozenset(deeds))

    @property
    def hazards(self) -> frozenset[str]:
        """The hazards through which it is found."""
        return self.bias.chances & OFTEN.keys()

    @property
    def bias_without_hazards(self) -> Bias:
        """The same bias, and no hazard."""
        return replace(self.bias, chances=self.bias.chances - OFTEN.keys() | {NO_HAZARD})


def unconditional(row: Row, when: object = None) -> Put:
    """A `Put` that asks for nothing."""
    return Put(row)


def without(*names: str) -> Callable[..., Any]:
    """A `Matches` that asks for nothing where it would ask for exactly these fields."""

    def lax(**fields: str | int | None) -> Matches | None:
        return None if set(fields) == set(names) else Matches(**fields)

    return lax
