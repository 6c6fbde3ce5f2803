"""Tries an agent without AWS, without the emulator and without a model: for a developer's own tests.

from dayfly.agents.testing import ask
from my_agents.weather import agent

async def test_it_looks_out_of_the_window() -> None:
    transcript = await ask(agent, "What is the weather in Kiel?")
    assert transcript.tools == ("weather",)
    assert "rain" in transcript.answer
"""

from collections.abc import Sequence
from dataclasses import dataclass

from dayfly.agents.definition import AgentDefinition
from dayfly.agents.models import DEMO, ModelFactory, Models
from dayfly.agents.protocol import AgentEvent, Answered, Responded, ToolEnded, ToolStarted, Turn
from dayfly.agents.pydantic_agent import PydanticAgent
from dayfly.context.execution import UserExecutionContext
from dayfly.ports.clock import Clock, SystemClock
from dayfly.ports.memory import MemoryTable
from dayfly.ports.table import Table
from dayfly.runlog.messages import Message, ToolAnswered, UserSaid

RUN_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Transcript:
    """What happened in one run: the agent's events in their order."""

    text: str
    events: tuple[AgentEvent, ...]

    @property
    def answer(self) -> str:
        """The answer's text."""
        return next(event.text for event in self.events if isinstance(event, Answered))

    @property
    def calls(self) -> tuple[ToolStarted, ...]:
        """The tool calls, with their parameters, in the order in which they started."""
        return tuple(event for event in self.events if isinstance(event, ToolStarted))

    @property
    def tools(self) -> tuple[str, ...]:
        """The names of the tools that were called."""
        return tuple(call.tool_name for call in self.calls)

    @property
    def results(self) -> tuple[ToolAnswered, ...]:
        """What the tools answered, in the order in which they ended."""
        return tuple(event.answer for event in self.events if isinstance(event, ToolEnded))

    @property
    def messages(self) -> tuple[Message, ...]:
        """The run's messages: give them as `history` to the next `ask` to go on in the same thread."""
        said: list[Message] = [UserSaid(self.text)]
        for event in self.events:
            if isinstance(event, Responded):
                said.append(event.message)
            elif isinstance(event, ToolEnded):
                said.append(event.answer)
        return tuple(said)


async def ask(
    agent: AgentDefinition,
    text: str,
    *,
    history: Sequence[Message] = (),
    model: str | None = None,
    models: ModelFactory | None = None,
    table: Table | None = None,
    clock: Clock | None = None,
    user: str = "u-developer",
) -> Transcript:
    """Runs the agent once and returns what it did. Raises what the run would fail with.

    `model` is a `MODEL` setting; without one it is the agent's own, else the demo model, which calls the agent's tools
    by the words of the message. `table` keeps notes and threads from one call to the next.
    """
    clock = clock or SystemClock()
    turn = Turn(
        context=_context(user, clock),
        text=text,
        history=tuple(history),
        table=table or MemoryTable(),
        clock=clock,
    )
    open_model = (models or Models())(model or agent.model or DEMO)
    events = [event async for event in PydanticAgent(agent, open_model).run(turn)]
    return Transcript(text, tuple(events))


def _context(user: str, clock: Clock) -> UserExecutionContext:
    return UserExecutionContext(
        user_id=user,
        tenant_id=user,
        thread_id="t-trial",
        run_id=f"r-trial-{clock.now_ms()}",
        request_id="trial",
        invocation_id="i-trial",
        agent_name="trial",
        attempt=1,
        first_seq=2,
        deadline=clock.monotonic() + RUN_SECONDS,
    )
