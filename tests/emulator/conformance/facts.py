"""Numbered facts about AWS: each is one test, its docstring the statement, its source the AWS page that says so."""

from __future__ import annotations

import inspect
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import pytest

AREAS: Final = {"W": "API Gateway WebSocket", "M": "@connections", "L": "Lambda", "A": "Lambda, asynchronously",
                "D": "DynamoDB", "T": "Templates"}  # fmt: skip


@dataclass(frozen=True)
class Fact:
    """One fact. `deviation` says why the emulator does not keep it; `local` why only an emulator can be asked."""

    number: str
    statement: str
    source: str
    deviation: str | None
    local: str | None

    @property
    def order(self) -> tuple[int, int]:
        """Where it stands in the list: by area, then by number."""
        return list(AREAS).index(self.number[0]), int(self.number[1:])


def fact(number: str, source: str, *, deviation: str | None = None, local: str | None = None) -> pytest.MarkDecorator:
    """Mark a test as the fact `number` (an area's letter and a number, such as `W12`), which the page `source` states.

    The test asserts what AWS does. With `deviation`, the reason, it must fail on the emulator. With `local`, the
    reason, it is left out where the target is a deployed stack: a limit of hours, a fault that can't be ordered there.
    """
    return pytest.mark.fact(number, source, deviation=deviation, local=local)


def fact_of(item: pytest.Item) -> Fact | None:
    """The fact that a collected test states, if any."""
    mark = item.get_closest_marker("fact")
    if mark is None:
        return None
    number, source = mark.args
    docstring = inspect.getdoc(item.obj) if isinstance(item, pytest.Function) else None
    if not docstring or number[0] not in AREAS or not source.startswith("https://"):
        raise pytest.UsageError(f"{item.nodeid}: a fact needs a statement, a known area and an https source")
    statement = " ".join(docstring.split())
    return Fact(number=number, statement=statement, source=source, **mark.kwargs)


def facts_of(items: Iterable[pytest.Item]) -> tuple[Fact, ...]:
    """The facts of these tests in order; a test with parameters counts once. Two of one number are an error."""
    found: dict[str, Fact] = {}
    for each in (fact_of(item) for item in items):
        if each is None:
            continue
        if found.setdefault(each.number, each) != each:
            raise pytest.UsageError(f"{each.number} is the number of two facts")
    return tuple(sorted(found.values(), key=lambda each: each.order))
