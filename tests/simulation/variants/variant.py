"""What a variant is made of."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, Protocol

from dayfly.ports.table import Put
from dayfly.runlog.rows import Row


class Variant(Protocol):
    """Breaks the core for the time of its block."""

    __name__: str

    def __call__(self) -> AbstractContextManager[None]:
        """The block."""


def unconditional(row: Row, when: object = None) -> Put:
    """A `Put` that asks for nothing."""
    return Put(row)


def without(*names: str) -> Callable[..., Any]:
    """A `Matches` that asks for nothing where it would ask for exactly these fields."""
    from dayfly.ports.table import Matches

    def lax(**fields: str | int | None) -> Any:
        return None if set(fields) == set(names) else Matches(**fields)

    return lax
