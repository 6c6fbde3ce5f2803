"""What comes of the bytes that a model's server sends: the whole way to the events of an agent."""

from dataclasses import dataclass

from pydantic import JsonValue

from dayfly.agents.pydantic.agent import PydanticAgent
from dayfly.agents.pydantic.failures.retries import RetryPolicy
from dayfly.agents.sdk import AgentDefinition, AgentEvent, Answered, Delta, ModelFailed, ReasoningDelta, Responded
from tests.contract.model_adapters import Adapter
from tests.contract.model_server import Answer
from tests.contract.scripted_model import scripted_model
from tests.unit.agents.support import collect, turn


def double(number: int) -> int:
    """Doubles a number."""
    return 2 * number


def halve(number: int) -> float:
    """Halves a number."""
    return number / 2


AT_ONCE = RetryPolicy(base_s=0)
"""A request that failed is made again without a wait."""
AGENT = AgentDefinition(instructions="Help.", tools=(double, halve))


@dataclass(frozen=True)
class Heard:
    """What an agent gave, what its model was asked, and how the run failed, if it did."""

    events: tuple[AgentEvent, ...]
    bodies: tuple[dict[str, JsonValue], ...]
    failure: ModelFailed | None

    @property
    def deltas(self) -> str:
        """All pieces of text."""
        return "".join(event.text for event in self.events if isinstance(event, Delta))

    @property
    def reasoning(self) -> str:
        """All pieces of reasoning."""
        return "".join(event.text for event in self.events if isinstance(event, ReasoningDelta))

    @property
    def response(self) -> Responded:
        """The first whole response."""
        return next(event for event in self.events if isinstance(event, Responded))

    @property
    def answer(self) -> Answered:
        """The answer."""
        return next(event for event in self.events if isinstance(event, Answered))


async def hear(adapter: Adapter, *answers: Answer, agent: AgentDefinition = AGENT) -> Heard:
    """What comes of these answers."""
    events: list[AgentEvent] = []
    failure = None
    with scripted_model(*answers) as server, adapter.models(server.url) as models:
        try:
            await collect(PydanticAgent(agent, models(adapter.setting), retries=AT_ONCE).run(turn()), events)
        except ModelFailed as failed:
            failure = failed
        return Heard(tuple(events), server.bodies, failure)
