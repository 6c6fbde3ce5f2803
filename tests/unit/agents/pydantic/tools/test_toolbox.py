"""From a function to a tool."""

from collections.abc import Awaitable
from datetime import date
from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, Field
from pydantic_ai import RunContext

from dayfly.agents.pydantic.requests.tool_results import as_text
from dayfly.agents.pydantic.tools.toolbox import build_tool
from dayfly.agents.sdk.definition import Tool
from dayfly.agents.sdk.protocol import ToolEnded, ToolStarted
from dayfly.agents.sdk.tool_context import ToolContext, ToolFunction
from dayfly.errors import ConfigurationError
from tests.unit.agents.support import agent_of, call, events_of, responses


async def unused(run_context: RunContext[None], call: object) -> str:
    raise AssertionError


def test_the_model_sees_the_functions_own_signature() -> None:
    """Name, docstring, descriptions, types and defaults; not the context."""

    async def book(
        context: ToolContext, table: Annotated[int, Field(ge=1)], *, when: date, how: Literal["in", "out"] = "in"
    ) -> str:
        """Books a table.

        Args:
            table: The table's number.
            when: The day.
        """
        return f"{context}{table}{when}{how}"

    tool = build_tool(Tool(book), unused)
    assert (tool.name, tool.description) == ("book", "Books a table.")
    schema: dict[str, Any] = tool.function_schema.json_schema
    assert schema["required"] == ["table", "when"]
    assert schema["properties"] == {
        "table": {"description": "The table's number.", "minimum": 1, "type": "integer"},
        "when": {"description": "The day.", "format": "date", "type": "string"},
        "how": {"default": "in", "enum": ["in", "out"], "type": "string"},
    }


class Place(BaseModel):
    """A place."""

    city: str


async def test_arguments_reach_the_function_with_their_types() -> None:
    """Models, dates and defaults are made from what the model wrote."""
    got: list[object] = []

    def visit(place: Place, when: date, count: int = 2) -> dict[str, object]:
        """Visits."""
        got.extend([place, when, count])
        return {"ok": True, "when": when}

    arguments = '{"place": {"city": "Kiel"}, "when": "2026-01-02"}'
    events = await events_of(agent_of(responses((call("visit", arguments),), ("Done.",)), visit))
    assert got == [Place(city="Kiel"), date(2026, 1, 2), 2]
    ended = next(event for event in events if isinstance(event, ToolEnded))
    assert ended.answer.content == '{"ok":true,"when":"2026-01-02"}'
    started = next(event for event in events if isinstance(event, ToolStarted))
    assert started.parameters == {"place": {"city": "Kiel"}, "when": "2026-01-02"}


async def test_a_plain_function_that_returns_a_coroutine() -> None:
    """It is awaited, as a decorated async function is."""

    async def inner() -> str:
        return "inner"

    def outer() -> Awaitable[str]:
        """Wraps."""
        return inner()

    events = await events_of(agent_of(responses((call("outer"),), ("Done.",)), outer))
    assert next(event for event in events if isinstance(event, ToolEnded)).answer.content == "inner"


def test_results_as_text() -> None:
    """Text as it is, the rest as JSON; what JSON cannot hold is an error."""
    assert as_text("a") == "a"
    assert as_text(None) == "null"
    assert as_text([1, Place(city="Kiel")]) == '[1,{"city":"Kiel"}]'
    assert as_text([float("nan"), float("inf"), {"x": -float("inf")}]) == '[null,null,{"x":null}]'
    assert as_text(["\ud83d", {"\ud83d": Place(city="\ude00")}]) == '["\ufffd",{"\ufffd":{"city":"\ufffd"}}]'
    with pytest.raises(TypeError):
        as_text(object())


def no_hint(number) -> str:  # type: ignore[no-untyped-def]
    """Has no hint."""
    return str(number)


def rest(*numbers: int) -> str:
    """Takes any number."""
    return str(numbers)


def late_context(number: int, context: ToolContext) -> str:
    """Wants the context in second place."""
    return f"{number}{context}"


def unknown_hint(number: "Missing") -> str:  # type: ignore[name-defined]  # noqa: F821
    """Has a hint that does not exist."""
    return str(number)


class Opaque:
    """No type that JSON knows."""


def opaque(thing: Opaque) -> str:
    """Takes what no model can write."""
    return str(thing)


@pytest.mark.parametrize("function", [no_hint, rest, late_context, unknown_hint, opaque])
def test_what_no_model_could_call_is_refused_at_start(function: ToolFunction) -> None:
    """The error names the tool."""
    with pytest.raises(ConfigurationError, match=function.__name__):
        build_tool(Tool(function), unused)


@pytest.mark.parametrize(
    ("arguments", "result"),
    [
        ('{"number": 1}', "[1,2,[]]"),
        ('{"number": 1, "factor": 3, "more": [4]}', "[1,3,[4]]"),
        ("{}", None),
        ('{"number": 0}', None),
        ('{"number": 1, "factor": 0}', None),
    ],
)
async def test_a_field_as_a_default_says_what_fits(arguments: str, result: str | None) -> None:
    """Without a default of its own the parameter must be given; with one the tool gets that, and never the field."""

    def multiply(
        number: int = Field(ge=1, description="What to multiply."),
        factor: int = Field(default=2, ge=1),
        more: list[int] = Field(default_factory=list),  # noqa: B008
    ) -> list[object]:
        """Multiplies."""
        return [number, factor, more]

    events = await events_of(agent_of(responses((call("multiply", arguments),), ("Done.",)), multiply))
    (answer,) = [event.answer for event in events if isinstance(event, ToolEnded)]
    assert (answer.content if answer.outcome == "ok" else None) == result
