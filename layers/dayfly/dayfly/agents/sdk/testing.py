"""Tries an agent without AWS, without the emulator and without a model: for a developer's own tests.

from dayfly.agents.sdk.testing import ask
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

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from pydantic import JsonValue

from dayfly.agents.dry_run import dry_run
from dayfly.agents.models.factory import ModelFactory
from dayfly.agents.sdk.definition import AgentDefinition
from dayfly.agents.sdk.protocol import (
    AgentEvent,
    AgentRecipe,
    Answered,
    Asked,
    OpenCall,
    ToolEnded,
    ToolProgress,
    ToolStarted,
)
from dayfly.agents.sdk.run_steps import steps_of
from dayfly.agents.secrets import FixedSecrets
from dayfly.clock import Clock
from dayfly.log.fold import fold
from dayfly.log.messages import Decision, Message, ToolAnswered
from dayfly.store.memory import MemoryTable
from dayfly.store.table import Table

__all__ = ["Approve", "MemoryTable", "Transcript", "ask"]

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
    def output(self) -> dict[str, JsonValue] | None:
        """The structured answer's value; `None` where there is none."""
        return next((event.output for event in self.events if isinstance(event, Answered)), None)

    @property
    def progress(self) -> tuple[str, ...]:
        """What the tools told of their progress, in that order."""
        return tuple(event.message for event in self.events if isinstance(event, ToolProgress))

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
        return fold(self.text, steps_of(self.events))


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
    secrets: Mapping[str, str] | None = None,
    settings: Mapping[str, str] | None = None,
    claims: Mapping[str, JsonValue] | None = None,
) -> Transcript:
    """Runs the agent once and returns what it did.

    Args:
        agent: A definition, or a class with a loop of its own, which brings its model itself.
        text: What the user says.
        history: The `messages` of earlier runs, oldest first: the thread goes on behind them.
        approve: Decides on the calls that require approval. The run goes on behind them as it does in production, with
            a new agent. Without it the transcript ends where the user is asked.
        reason: What the user says to each denial.
        model: A `MODEL` setting; by default the agent's own, else the demo model, which calls the agent's tools by the
            words of the message.
        models: Turns the setting into a model's factory: for a model that needs a key or a client.
        table: Keeps notes and threads from one `ask` to the next; by default each has a new `MemoryTable`.
        clock: The tools' clock; by default the system's.
        user: Whose notes and threads the tools reach.
        secrets: What the tools' `context.secret` finds. Values of 8 characters and more are kept out of the results, as
            in production.
        settings: What their `context.setting` finds.
        claims: What `context.claims` holds.

    Raises:
        ConfigurationError: The model's setting is wrong.
        RunFailed: The run would have failed with this; an agent's own errors come as they are.
    """

    def decide(call: OpenCall) -> Decision:
        approved = approve(call) if callable(approve) else approve is True
        return Decision(call.tool_call_id, approved, "" if approved else reason)

    events = await dry_run(
        agent,
        text,
        history=tuple(history),
        decide=None if approve is None else decide,
        model=model,
        models=models,
        table=table,
        clock=clock,
        user_id=user,
        secrets=FixedSecrets(secrets=secrets, settings=settings),
        claims=claims,
    )
    return Transcript(text, events)
