"""Tries an agent without AWS, without the emulator and without a model: for a developer's own tests.

from dayfly.agents.testing import ask
from my_agents.weather import agent

async def test_it_looks_out_of_the_window() -> None:
    transcript = await ask(agent, "What is the weather in Kiel?")
    assert transcript.tools == ("weather",)
    assert "rain" in transcript.answer

Where a tool requires approval, `approve` says what the user decides:

async def test_nothing_is_bought_against_the_users_will() -> None:
    transcript = await ask(agent, "Buy a ticket to Kiel.", approve=False, reason="Too dear.")
    assert [call.tool_name for call in transcript.asked] == ["buy_ticket"]
    assert transcript.tools == ()
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from dayfly.agents.definition import AgentDefinition
from dayfly.agents.models import DEMO, ModelFactory, Models
from dayfly.agents.protocol import (
    AgentEvent,
    AgentRecipe,
    Answered,
    Asked,
    OpenCall,
    Responded,
    ToolEnded,
    ToolStarted,
    Turn,
)
from dayfly.agents.pydantic_agent import PydanticAgent
from dayfly.context.execution import UserExecutionContext
from dayfly.ports.clock import Clock, SystemClock
from dayfly.ports.memory import MemoryTable
from dayfly.ports.table import Table
from dayfly.runlog.messages import Decision, Message, ToolAnswered, UserSaid

RUN_SECONDS = 60.0

Approve = bool | Callable[[OpenCall], bool]
"""What the user decides on each call that requires approval."""


@dataclass(frozen=True, slots=True)
class Transcript:
    """What happened in one run: the agent's events in their order, over all attempts."""

    text: str
    events: tuple[AgentEvent, ...]

    @property
    def answer(self) -> str:
        """The answer's text. Raises `LookupError` where the run still waits for the user."""
        for event in self.events:
            if isinstance(event, Answered):
                return event.text
        names = ", ".join(call.tool_name for call in self.asked)
        raise LookupError(f"there is no answer: the run waits for approval of {names}; say ask(..., approve=...)")

    @property
    def asked(self) -> tuple[OpenCall, ...]:
        """The calls that the user was asked to approve, whatever came of them."""
        return tuple(call for event in self.events if isinstance(event, Asked) for call in event.calls)

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
        """What the tools answered, in the order in which they ended; a denied call has a result with that outcome."""
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
    agent: AgentDefinition | AgentRecipe,
    text: str,
    *,
    history: Sequence[Message] = (),
    approve: Approve | None = None,
    reason: str = "",
    model: str | None = None,
    models: ModelFactory | None = None,
    table: Table | None = None,
    clock: Clock | None = None,
    user: str = "u-developer",
) -> Transcript:
    """Runs the agent once and returns what it did. Raises what the run would fail with.

    `approve` decides on the calls that require approval, and the run goes on behind them as it does in production, with
    a new agent; `reason` is what the user says to each denial. Without `approve` the transcript ends where the user is
    asked. `model` is a `MODEL` setting; without one it is the agent's own, else the demo model, which calls the agent's
    tools by the words of the message. An agent with a loop of its own brings its model itself. `table` keeps notes and
    threads from one call to the next.
    """
    clock = clock or SystemClock()
    turn = Turn(
        context=_context(user, clock),
        text=text,
        history=tuple(history),
        table=table or MemoryTable(),
        clock=clock,
    )
    made = _recipe(agent, models or Models(), model)
    transcript = Transcript(text, ())
    while True:
        events = [event async for event in made().run(turn)]
        transcript = replace(transcript, events=(*transcript.events, *events))
        last = events[-1]
        if approve is None or not isinstance(last, Asked):
            return transcript
        decided = [(call, approve if isinstance(approve, bool) else approve(call)) for call in last.calls]
        decisions = tuple(Decision(call.tool_call_id, yes, "" if yes else reason) for call, yes in decided)
        _, *resumed = transcript.messages
        turn = replace(turn, resumed=tuple(resumed), decisions=decisions)


def _recipe(agent: AgentDefinition | AgentRecipe, models: ModelFactory, model: str | None) -> AgentRecipe:
    if not isinstance(agent, AgentDefinition):
        return agent
    open_model = models(model or agent.model or DEMO)
    return lambda: PydanticAgent(agent, open_model)


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
