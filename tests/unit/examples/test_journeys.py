"""An agent whose tool takes nested types of its developer's own."""

import json
from collections.abc import Sequence

import pytest
from pydantic import JsonValue

from dayfly.agents.testing import Transcript, ask
from examples.agents.journeys import Plan, agent

FAMILY: dict[str, JsonValue] = {
    "journey": {
        "start": "Ulm",
        "legs": [
            {"to": "Kiel", "means": "train", "day": "2026-05-01"},
            {"to": "Oslo", "means": "ferry", "day": "2026-05-03"},
        ],
    },
    "travellers": [{"name": "Ada"}, {"name": "Ben", "age": 40}, {"name": "Cleo", "age": 4}],
}


LEG: dict[str, JsonValue] = {"to": "Kiel", "means": "bus", "day": "2026-05-01"}


async def plan(**arguments: JsonValue) -> Transcript:
    return await ask(agent, f"plan_journey {json.dumps(arguments)}")


async def test_a_tool_is_called_with_instances_of_its_types() -> None:
    """Models, dataclasses, enums, dates and lists of them come as such, and the result goes back as JSON."""
    transcript = await plan(**FAMILY)
    assert transcript.calls[0].parameters == FAMILY
    planned = Plan.model_validate_json(transcript.results[0].content)
    assert planned == Plan(stops=["Ulm", "Kiel", "Oslo"], days=3, price=150.0)


async def test_what_may_be_left_out_has_its_default() -> None:
    """No travellers and no note: one fare is paid."""
    transcript = await plan(journey={"start": "Ulm", "legs": [LEG]})
    assert Plan.model_validate_json(transcript.results[0].content).price == 12.0


@pytest.mark.parametrize(
    ("legs", "told"),
    [
        ([{**LEG, "means": "rocket"}], "means"),
        ([{**LEG, "day": "tomorrow"}], "day"),
        ([{**LEG, "to": ""}], "to"),
        ([], "legs"),
        ([LEG, {**LEG, "day": "2026-04-30"}], "not in the order of their days"),
    ],
)
async def test_what_does_not_fit_is_told_to_the_model(legs: Sequence[dict[str, JsonValue]], told: str) -> None:
    """By the name of the field, or in the tool's own words; what fits is planned."""
    transcript = await plan(journey={"start": "Ulm", "legs": list(legs)})
    assert transcript.results[0].outcome == "error"
    assert told in transcript.results[0].content
    assert (await plan(journey={"start": "Ulm", "legs": [LEG]})).results[0].outcome == "ok"


async def test_it_can_be_tried_in_plain_words() -> None:
    """The demo model fills nested parameters from what is said."""
    transcript = await ask(agent, "Plan a journey by ferry, on 2026-05-01, to Oslo")
    assert transcript.results[0].outcome == "ok"
    assert transcript.calls[0].parameters["journey"] == {
        "start": "Oslo",
        "legs": [{"to": "Oslo", "means": "ferry", "day": "2026-05-01"}],
    }
