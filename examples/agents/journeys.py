"""Nested parameters of the developer's own types: "Plan a journey with two legs, by train, to Kiel on 2026-05-01".

The model is shown the JSON schema of these types, and the tool is called with instances of them. What does not fit is
told to the model, which tries again; the tool is not called then.
"""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, Field

from dayfly.agents.sdk import AgentDefinition, ToolError


class Means(StrEnum):
    """How to get there."""

    TRAIN = "train"
    BUS = "bus"
    FERRY = "ferry"


@dataclass(frozen=True)
class Traveller:
    """Someone who comes along."""

    name: str
    age: int | None = None


class Leg(BaseModel):
    """One part of a journey."""

    to: Annotated[str, Field(min_length=1, description="The town where this part ends.")]
    means: Means
    day: date


class Journey(BaseModel):
    """A journey, leg by leg."""

    start: str
    legs: Annotated[list[Leg], Field(min_length=1)]
    note: str | None = None


class Plan(BaseModel):
    """What comes of it; the price is in euros."""

    stops: list[str]
    days: int
    price: float


PRICES = {Means.TRAIN: 30.0, Means.BUS: 12.0, Means.FERRY: 45.0}
CHILD = 15


def plan_journey(journey: Journey, travellers: list[Traveller] | None = None) -> Plan:
    """Plans a journey and says what it costs.

    Args:
        journey: Where from, and each leg of the way.
        travellers: Who comes along, if it is not the user alone.
    """
    days = [leg.day for leg in journey.legs]
    if days != sorted(days):
        raise ToolError("The legs are not in the order of their days.")
    fare = sum(PRICES[leg.means] for leg in journey.legs)
    paying = [one for one in travellers or () if one.age is None or one.age >= CHILD]
    return Plan(
        stops=[journey.start, *(leg.to for leg in journey.legs)],
        days=(days[-1] - days[0]).days + 1,
        price=fare * max(1, len(paying)),
    )


agent = AgentDefinition(
    instructions="You plan journeys. Ask for the town and the day of each leg if they are not given.",
    tools=(plan_journey,),
)
