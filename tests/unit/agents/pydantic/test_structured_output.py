"""Answers of a type that the agent's developer has named."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, TypedDict

import pytest
from pydantic import BaseModel, Field, JsonValue, RootModel, field_validator
from pydantic_ai.messages import ModelMessage, ModelRequest
from pydantic_ai.models import Model
from pydantic_ai.models.function import AgentInfo, FunctionModel

from dayfly.agents.pydantic.agent import PydanticAgent
from dayfly.agents.pydantic.structured_output import OUTPUT_RETRIES, NotFitting, StructuredOutput
from dayfly.agents.sdk.definition import AgentDefinition, Tool
from dayfly.agents.sdk.protocol import (
    AgentEvent,
    Answered,
    Asked,
    Delta,
    Responded,
    Retrying,
    Thinking,
    ToolEnded,
    ToolStarted,
)
from dayfly.agents.sdk.testing import ask
from dayfly.errors import ConfigurationError, ModelFailed
from dayfly.log.messages import AssistantSaid, Decision, ToolAnswered, ToolCall
from dayfly.protocol.events import Finish
from tests.unit.agents.support import Piece, call, collect, events_of, kinds, turn


class Weather(BaseModel):
    """The weather of a town."""

    town: str
    degrees: float
    rain: bool = False

    @field_validator("degrees")
    @classmethod
    def _is_on_earth(cls, value: float) -> float:
        if value < -100:
            raise ValueError("it is nowhere so cold")
        return value


@dataclass
class Point:
    """A point."""

    x: int
    y: int


class Named(TypedDict):
    """Something with a name."""

    name: str


KIEL = '{"town": "Kiel", "degrees": 12.5}'
READ: dict[str, JsonValue] = {"town": "Kiel", "degrees": 12.5, "rain": False}


class Weatherman:
    """An agent with a structured answer whose model gives these replies, and keeps what each request had."""

    def __init__(self, *replies: Sequence[Piece], output: type = Weather, tools: tuple[Any, ...] = ()) -> None:
        self.requests: list[tuple[list[ModelMessage], AgentInfo]] = []
        left = list(replies)

        async def script(messages: list[ModelMessage], info: AgentInfo) -> AsyncIterator[Piece]:
            self.requests.append((list(messages), info))
            for piece in left.pop(0):
                yield piece

        @asynccontextmanager
        async def open_model() -> AsyncIterator[Model]:
            yield FunctionModel(stream_function=script)

        definition = AgentDefinition(instructions="Tell the weather.", tools=tools, output=output)
        self.agent = PydanticAgent(definition, open_model)


@pytest.mark.parametrize(
    ("kind", "said", "output"),
    [(Weather, KIEL, READ), (Point, '{"x": 1, "y": "2"}', {"x": 1, "y": 2}), (Named, '{"name": "a"}', {"name": "a"})],
)
async def test_the_answer_is_text_and_value(kind: type, said: str, output: Any) -> None:
    """Of a pydantic model, a dataclass or a TypedDict; the value has what the type adds. The text streams as any."""
    asked = Weatherman((said[:5], said[5:]), output=kind)
    events = await events_of(asked.agent)
    assert kinds(events) == [Thinking, Delta, Delta, Responded, Answered]
    assert events[-1] == Answered(said, Finish.COMPLETE, output)


async def test_the_model_is_told_the_schema() -> None:
    """With the request, beside the agent's own instructions."""
    asked = Weatherman((KIEL,))
    await events_of(asked.agent)
    messages, info = asked.requests[0]
    assert isinstance(messages[-1], ModelRequest)
    wanted = info.model_request_parameters.output_object
    assert wanted is not None
    assert set(wanted.json_schema["properties"]) == {"town", "degrees", "rain"}
    assert "Tell the weather." in (info.instructions or "")


@pytest.mark.parametrize(
    "fence",
    [
        "```json\n{}\n```",
        "```\n{}\n```",
        "\n  {}\n",
        "Here it is:\n```json\n{}\n```\nAnything else?",
        "Sure! {} I hope that helps.",
        "{}.",
    ],
)
async def test_a_fence_or_words_around_it_is_no_part_of_it(fence: str) -> None:
    """Models put one there though they are asked not to; history and result are JSON."""
    events = await events_of(Weatherman((fence.replace("{}", KIEL),)).agent)
    assert events[-1] == Answered(KIEL, Finish.COMPLETE, READ)
    responded = next(event for event in events if isinstance(event, Responded))
    assert responded.message.text == KIEL


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ("It is 12 degrees in Kiel.", "json_invalid"),
        ('{"town": "Kiel"}', "degrees"),
        ('{"town": "Kiel", "degrees": "warm"}', "degrees"),
        ('{"town": "Kiel", "degrees": -300}', "nowhere so cold"),
        ("[1]", "model_type"),
        (KIEL + KIEL, "json_invalid"),
    ],
)
async def test_an_answer_that_does_not_fit_is_asked_for_again(wrong: str, why: str) -> None:
    """What was said is void, and no response of its own; the model is told what is wrong."""
    asked = Weatherman((wrong,), (KIEL,))
    events = await events_of(asked.agent)
    assert kinds(events) == [Thinking, Delta, Retrying, Delta, Responded, Answered]
    assert events[2] == Retrying("not_fitting", 1, 0)
    assert events[-1] == Answered(KIEL, Finish.COMPLETE, READ)
    said, told = asked.requests[1][0][-2:]
    assert wrong in str(said)
    assert why in str(told)


async def test_what_unfit_answers_cost_is_counted() -> None:
    """With the response that fits, since they have none of their own."""
    alone = next(event for event in await events_of(Weatherman((KIEL,)).agent) if isinstance(event, Responded))
    twice = next(
        event for event in await events_of(Weatherman(("No.",), (KIEL,)).agent) if isinstance(event, Responded)
    )
    assert twice.output_tokens > alone.output_tokens
    assert twice.input_tokens > alone.input_tokens


async def test_a_model_that_never_fits_fails_the_run(caplog: pytest.LogCaptureFixture) -> None:
    """After so many tries, in words that say whose failure it is. The log says what did not fit, and not what the model
    said: neither does the error, whose causes would be logged with it."""
    seen: list[AgentEvent] = []
    asked = Weatherman(*[("Rather wet.",)] * 20)
    with pytest.raises(ModelFailed, match="no answer of the form that the agent wants") as failed:
        await collect(asked.agent.run(turn()), seen)
    assert failed.value.__cause__ is None
    (line,) = [record for record in caplog.records if record.name.endswith("pydantic.hooks")]
    assert "Invalid JSON" in line.__dict__["reason"]
    assert "wet" not in line.__dict__["reason"]
    assert [event.retry for event in seen if isinstance(event, Retrying)] == list(range(1, OUTPUT_RETRIES + 1))
    assert len(asked.requests) == OUTPUT_RETRIES + 1


async def test_the_last_try_still_counts() -> None:
    """The bound is on what does not fit."""
    events = await events_of(Weatherman(*[("No.",)] * OUTPUT_RETRIES, (KIEL,)).agent)
    assert events[-1] == Answered(KIEL, Finish.COMPLETE, READ)


def look() -> str:
    """Looks out of the window."""
    return "rain"


async def test_tools_come_before_it() -> None:
    """What is said before a tool is called is no answer, and need not fit."""
    events = await events_of(Weatherman(("Let me look. ", call("look")), (KIEL,), tools=(look,)).agent)
    assert kinds(events) == [Thinking, Delta, Responded, ToolStarted, ToolEnded, Thinking, Delta, Responded, Answered]
    assert events[-1] == Answered(KIEL, Finish.COMPLETE, READ)


async def test_approvals_come_before_it_too() -> None:
    """An attempt that goes on behind the user's answer ends with it."""
    tools = (Tool(look, requires_approval=True),)
    first = await events_of(Weatherman((call("look"),), tools=tools).agent)
    assert isinstance(first[-1], Asked)
    resumed = (AssistantSaid("", (ToolCall("c-1", "look", "{}"),)),)
    given = turn(resumed=resumed, decisions=(Decision("c-1", approved=True),))
    second = await events_of(Weatherman((KIEL,), tools=tools).agent, given)
    assert second[-1] == Answered(KIEL, Finish.COMPLETE, READ)


@pytest.mark.parametrize(
    ("said", "finish", "output"), [(KIEL, Finish.COMPLETE, READ), ('{"town": "Ki', Finish.LENGTH, None)]
)
async def test_an_answer_that_an_engine_could_not_tell_any_more_is_told_by_the_next(
    said: str, finish: Finish, output: Any
) -> None:
    """Without asking the model again."""
    asked = Weatherman()
    events = await events_of(asked.agent, turn(resumed=(AssistantSaid(said, finish=finish),)))
    assert events == [Answered(said, finish, output)]
    assert asked.requests == []


async def test_history_holds_it_as_text() -> None:
    """So that any provider takes it in the next turn."""
    asked = Weatherman((KIEL,))
    history = (AssistantSaid(KIEL), ToolAnswered("x", "look", "gone"))
    events = await events_of(asked.agent, turn(history=history))
    assert events[-1] == Answered(KIEL, Finish.COMPLETE, READ)
    assert KIEL in str(asked.requests[0][0])


class Listed(RootModel[list[int]]):
    """No object."""


@dataclass
class Unknown:
    """Holds a type without a schema."""

    thing: AsyncIterator[int]


@pytest.mark.parametrize("kind", [Listed, Unknown, int, str, list])
def test_a_type_that_is_no_object_is_refused(kind: type) -> None:
    """At the start, in one line."""
    definition = AgentDefinition(instructions="Help.", output=kind)
    with pytest.raises(ConfigurationError, match=r"^output is "):
        PydanticAgent.check(definition)


@pytest.mark.parametrize("kind", ["Weather", 5, Weather(town="a", degrees=1), list[int]])
def test_what_is_no_type_is_refused_by_the_definition(kind: Any) -> None:
    """At once."""
    with pytest.raises(ConfigurationError, match="output is a type"):
        AgentDefinition(instructions="Help.", output=kind)


class Loose(BaseModel):
    """Takes any number."""

    number: float


@pytest.mark.parametrize("said", ['{"number": NaN}', '{"number": Infinity}'])
def test_what_json_does_not_hold_is_null(said: str) -> None:
    """Clients are never sent a NaN."""
    assert StructuredOutput(Loose).read(said)[1] == {"number": None}


def test_what_the_model_is_told_is_bounded() -> None:
    """An answer of a megabyte is not sent back."""
    with pytest.raises(NotFitting) as wrong:
        StructuredOutput(Weather).read('{"town": [' + '"x",' * 100_000 + '"x"]}')
    assert len(str(wrong.value)) < 4_000


class Broken(BaseModel):
    """Has a validator that is wrong itself."""

    town: str

    @field_validator("town")
    @classmethod
    def _is_known(cls, value: str) -> str:
        return {"Kiel": value}[value]


def test_a_validator_that_breaks_is_an_answer_that_does_not_fit(caplog: pytest.LogCaptureFixture) -> None:
    """What it raised is in the log alone."""
    with pytest.raises(NotFitting, match="could not be checked"):
        StructuredOutput(Broken).read('{"town": "Ulm"}')
    assert "KeyError: 'Ulm'" in caplog.text


class Report(BaseModel):
    """What the demo model can fill in."""

    summary: str
    number: int = Field(ge=1, le=10)
    kind: str = Field(max_length=20)
    points: list[Point] = Field(min_length=2)


async def test_the_demo_model_gives_an_instance() -> None:
    """Its texts are what it would have said, its numbers the user's; `ask` has the value beside the text."""
    definition = AgentDefinition(instructions="Report.", output=Report)
    transcript = await ask(definition, "Hello, 3 times")
    report = Report.model_validate(transcript.output)
    assert Report.model_validate_json(transcript.answer) == report
    assert report.number == 3
    assert "Hello!" in report.summary
    assert len(report.points) == 2


async def test_the_demo_model_calls_tools_before() -> None:
    """And tells their results in the instance."""

    def look() -> str:
        """Looks."""
        return "rain over the firth"

    transcript = await ask(AgentDefinition(instructions="Report.", tools=(look,), output=Report), "Look outside.")
    assert transcript.tools == ("look",)
    assert "rain over the firth" in Report.model_validate(transcript.output).summary
