"""Runs an agent without an engine, in memory: for developers' tests, and to warm a function up."""

import asyncio
import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final

from pydantic import JsonValue

from dayfly.agents.event_redaction import EventRedaction
from dayfly.agents.models.factory import DEMO, ModelFactory, Models
from dayfly.agents.pydantic.agent import PydanticAgentRecipe
from dayfly.agents.sdk.conduct import Conduct
from dayfly.agents.sdk.definition import AgentDefinition
from dayfly.agents.sdk.protocol import AgentEvent, AgentRecipe, Answered, Asked, OpenCall, Turn
from dayfly.agents.sdk.run_steps import steps_of
from dayfly.agents.secrets import RunSecrets, SecretStore
from dayfly.clock import Clock, SystemClock
from dayfly.context.claims import read_claims
from dayfly.context.execution import UserExecutionContext
from dayfly.context.run_ref import RunRef
from dayfly.errors import AgentFailed
from dayfly.log.fold import resumption_of
from dayfly.log.messages import Decision, Message
from dayfly.store.memory import MemoryTable
from dayfly.store.table import Table

RUN_SECONDS: Final = 60.0

Decide = Callable[[OpenCall], Decision]
"""Decides on a call that requires approval."""


async def dry_run(
    agent: AgentDefinition | AgentRecipe,
    text: str,
    *,
    history: tuple[Message, ...] = (),
    decide: Decide | None = None,
    model: str | None = None,
    models: ModelFactory | None = None,
    table: Table | None = None,
    clock: Clock | None = None,
    user_id: str = "u-dry-run",
    secrets: SecretStore | None = None,
    claims: Mapping[str, JsonValue] | None = None,
) -> tuple[AgentEvent, ...]:
    """Runs the agent and returns its events, over all attempts.

    Args:
        agent: A recipe brings its model itself; the model's arguments are for a definition.
        text: What the user says.
        history: The thread's earlier messages, oldest first.
        decide: Where the agent asks for approval, the run goes on behind these decisions, with a new agent. Without it
            the run ends there.
        model: A `MODEL` setting; by default the definition's own, else the demo model.
        models: Turns the setting into a model's factory; by default one that has neither keys nor clients.
        table: By default a new one in memory.
        clock: By default the system's.
        user_id: Whose notes and threads the tools reach.
        secrets: Where the tools' secrets and settings are kept; by default there are none.
        claims: Of the user's token; by default none.

    Raises:
        ConfigurationError: The model's setting is wrong.
        AgentFailed: An attempt broke the agents' protocol, or ended neither with an answer nor with a question.
        RunFailed: The run would have failed with this; an agent's own errors come as they are.
    """
    clock = clock or SystemClock()
    recipe = _recipe(agent, models or Models(), model)
    turn = Turn(
        context=replace(_context(user_id, clock), claims=read_claims(json.dumps(claims or {}))),
        text=text,
        history=history,
        table=table or MemoryTable(),
        clock=clock,
        secrets=RunSecrets(secrets),
    )
    events: list[AgentEvent] = []
    while True:
        conduct = Conduct(turn.resumed, decisions=turn.decisions)
        redaction = EventRedaction(turn.secrets.values)
        given = recipe().run(turn)
        attempt = [shown async for event in given for shown in redaction.events(conduct.taken(event))]
        events += attempt
        last = attempt[-1] if attempt else None
        if not (isinstance(last, Answered) or (isinstance(last, Asked) and last.calls)):
            raise AgentFailed("The agent ended without an answer.")
        if decide is None or isinstance(last, Answered):
            return tuple(events)
        turn = replace(
            turn, resumed=resumption_of(steps_of(events)).messages, decisions=tuple(decide(call) for call in last.calls)
        )


def warm_up() -> None:
    """Runs a small agent once with the demo model and one tool, and drops the result.

    Call it in a function's init phase, outside any event loop. pydantic-ai loads its price list and its async back end
    at the first model and the first run, which takes longer than the rest of a warm run; this moves that time from the
    first user's run to the init phase.
    """

    def greet() -> str:
        """Greets."""
        return "Good day."

    asyncio.run(dry_run(AgentDefinition(instructions="Greet.", tools=(greet,)), "greet"))


def _recipe(agent: AgentDefinition | AgentRecipe, models: ModelFactory, model: str | None) -> AgentRecipe:
    if not isinstance(agent, AgentDefinition):
        return agent
    opened = models(model or agent.model or DEMO, agent.settings)
    return PydanticAgentRecipe(agent, opened, stalls=models.stalls(agent.settings))


def _context(user_id: str, clock: Clock) -> UserExecutionContext:
    return UserExecutionContext(
        ref=RunRef(user_id=user_id, tenant_id=user_id, thread_id="t-trial", run_id=f"r-trial-{clock.now_ms()}"),
        request_id="trial",
        invocation_id="i-trial",
        agent_name="trial",
        attempt=1,
        first_seq=2,
        deadline=clock.monotonic() + RUN_SECONDS,
    )
