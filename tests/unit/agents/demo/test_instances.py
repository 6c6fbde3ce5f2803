"""Instances of a schema, as well as the demo model can make them."""

from datetime import date, datetime
from enum import StrEnum
from typing import Any, Literal
from uuid import UUID

import pytest
from pydantic import BaseModel, Field, TypeAdapter

from dayfly.agents.demo.instances import instance_of


class Means(StrEnum):
    """How."""

    TRAIN = "train"
    FERRY = "ferry"


class Leg(BaseModel):
    """A leg."""

    to: str
    day: date
    means: Means


class Tree(BaseModel):
    """Holds itself."""

    name: str
    inner: list["Tree"]


class Everything(BaseModel):
    """Of each kind one."""

    text: str
    short: str = Field(max_length=3)
    long: str = Field(min_length=50)
    whole: int = Field(ge=10, le=20)
    above: int = Field(gt=5)
    below: float = Field(lt=0.5)
    yes: bool
    nothing: None
    at: datetime
    legs: list[Leg] = Field(min_length=2)
    either: int | str
    maybe: int | None
    fixed: Literal["always"]
    key: UUID
    optional: str = "not filled in"


@pytest.mark.parametrize("text", ["", "By ferry on 2026-05-03, 400 times", "-7.5 and 0.3"])
@pytest.mark.parametrize("kind", [Everything, Leg, Tree])
def test_the_type_takes_it(kind: Any, text: str) -> None:
    """Whatever the user said."""
    adapter = TypeAdapter(kind)
    adapter.validate_python(instance_of(adapter.json_schema(), text, "An answer."))


def test_the_users_words_are_in_it() -> None:
    """Dates, numbers in their order, fixed values that are named, and the answer as text."""
    made = Leg.model_validate(instance_of(Leg.model_json_schema(), "By ferry on 2026-05-03", "Oslo"))
    assert made == Leg(to="Oslo", day=date(2026, 5, 3), means=Means.FERRY)


def test_a_schema_without_a_type_is_text() -> None:
    """Nothing better is known."""
    assert instance_of({}, "Hi", "An answer.") == "An answer."
