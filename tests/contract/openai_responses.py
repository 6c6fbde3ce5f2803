"""What comes of the bytes that a server of OpenAI's Chat Completions sends: the whole way to the events of an agent."""

from dataclasses import dataclass

from pydantic import JsonValue

from dayfly.agents.models.factory import Models
from dayfly.agents.pydantic.agent import PydanticAgent
from dayfly.agents.sdk import AgentDefinition, AgentEvent, Answered, Delta, ModelFailed, ReasoningDelta, Responded
from tests.contract.model_server import Answer
from tests.contract.openai_wire import chunk, counted
from tests.contract.scripted_model import scripted_model
from tests.unit.agents.support import collect, turn

SETTING = "openai:llama3.2"
STOP = chunk({}, "stop")


def double(number: int) -> int:
    """Doubles a number."""
    return 2 * number


def halve(number: int) -> float:
    """Halves a number."""
    return number / 2


AGENT = AgentDefinition(instructions="Help.", tools=(double, halve))


@dataclass(frozen=True)
class Heard:
    """What an agent gave of one model response and all behind it."""

    events: tuple[AgentEvent, ...]
    bodies: tuple[dict[str, JsonValue], ...]
    failure: ModelFailed | None

    @property
    def deltas(self) -> str:
        return "".join(event.text for event in self.events if isinstance(event, Delta))

    @property
    def reasoning(self) -> str:
        return "".join(event.text for event in self.events if isinstance(event, ReasoningDelta))

    @property
    def response(self) -> Responded:
        return next(event for event in self.events if isinstance(event, Responded))

    @property
    def answer(self) -> Answered:
        return next(event for event in self.events if isinstance(event, Answered))


async def heard(*answers: Answer, agent: AgentDefinition = AGENT, base_url: bool = True) -> Heard:
    """What comes of these answers."""
    events: list[AgentEvent] = []
    failure = None
    with scripted_model(*answers) as server:
        models = Models(api_key="the-key", base_url=f"{server.url}/v1" if base_url else None)
        try:
            await collect(PydanticAgent(agent, models(SETTING)).run(turn()), events)
        except ModelFailed as failed:
            failure = failed
        return Heard(tuple(events), server.bodies, failure)


def raw(*lines: str) -> tuple[bytes, ...]:
    return tuple(f"{line}\n\n".encode() for line in lines)


def tools(*items: JsonValue) -> bytes:
    return chunk({"tool_calls": list(items)})


def part(
    arguments: JsonValue = None, name: JsonValue = None, call_id: JsonValue = None, index: JsonValue = 0
) -> dict[str, JsonValue]:
    function: JsonValue = {key: value for key, value in (("name", name), ("arguments", arguments)) if value is not None}
    item: dict[str, JsonValue] = {"function": function, "type": "function"}
    return item | {key: value for key, value in (("index", index), ("id", call_id)) if value is not None}


HELLO = chunk({"content": "Hello"})

USED = counted(10, 5)
