"""Holds an agent to the agents' protocol: for the author of a loop of one's own."""

import asyncio
from collections.abc import Callable, Collection, Sequence
from typing import ClassVar, Final

from dayfly.agents.models.factory import DEMO, ModelFactory, Models
from dayfly.agents.pydantic.agent import PydanticAgentRecipe
from dayfly.agents.sdk.definition import AgentDefinition
from dayfly.agents.sdk.protocol import AgentRecipe
from dayfly.agents.testing.blocking import blocking
from dayfly.agents.testing.checks import approvals, commits, ends_wrongly, in_threads, resumption
from dayfly.agents.testing.isolation import isolation
from dayfly.agents.testing.stopping import cancellation
from dayfly.agents.testing.trial import Scenario, run_trial
from dayfly.agents.testing.violations import AgentViolations, Check, Violation
from dayfly.log.messages import Message

EVERYTHING: Final = frozenset(Check)


async def check_agent(
    agent: AgentDefinition | AgentRecipe,
    text: str = "Hello.",
    *,
    history: Sequence[Message] = (),
    idempotent: Collection[str] = (),
    tool_effects: Callable[[], object] | None = None,
    model_requests: Callable[[], object] | None = None,
    still_open: Callable[[], object] | None = None,
    model: str | None = None,
    models: ModelFactory | None = None,
    checks: Collection[Check] = EVERYTHING,
    stops_within_s: float = 1.0,
    blocks_s: float = 0.2,
    silent_s: float = 10.0,
) -> None:
    """Runs the agent many times, as engines would, and raises if it does not keep to its protocol (`Agent.run`).

    The agent is to do the same each time: give it a model that answers by what it is sent, not by how often it was
    asked. Where that can not be, leave `Check.ISOLATION` and `Check.RESUMPTION` out.

    Args:
        agent: A class with `run`, or a definition.
        text: What the user says. Choose one by which tools are called, and one that asks the user.
        history: The thread's earlier messages, oldest first.
        idempotent: The names of the tools that may run twice; a definition says it itself. With any other in doubt, the
            agent has to refuse.
        tool_effects: Gives something that changes whenever a tool has done something, such as a count.
        model_requests: Gives something that changes whenever the model is asked. Without these two, nobody can see
            whether the agent does something before it says so, and `Check.COMMITS` finds nothing.
        still_open: Says whether a stream of the model is open.
        model: A `MODEL` setting, for a definition.
        models: Turns it into a model's factory.
        checks: What is looked at.
        stops_within_s: How long it may take to stop when it is cancelled.
        blocks_s: How long it may block its event loop.
        silent_s: How long it may take to its next event.

    Raises:
        AgentViolations: An `AssertionError` with a sentence for each thing that is wrong.
    """
    recipe, may_repeat = _recipe_of(agent, models or Models(), model), set(idempotent)
    if isinstance(agent, AgentDefinition):
        may_repeat |= {tool.name for tool in agent.toolkit if tool.idempotent}
    scenario = Scenario(
        recipe=recipe,
        text=text,
        history=tuple(history),
        idempotent=frozenset(may_repeat),
        tool_effects=tool_effects,
        model_requests=model_requests,
        still_open=still_open,
        stops_within_s=stops_within_s,
        blocks_s=blocks_s,
        silent_s=silent_s,
    )
    if violations := tuple(dict.fromkeys(await _found(scenario, checks))):
        raise AgentViolations(violations)


def _recipe_of(agent: AgentDefinition | AgentRecipe, models: ModelFactory, model: str | None) -> AgentRecipe:
    if isinstance(agent, AgentDefinition):
        return PydanticAgentRecipe(agent, models(model or agent.model or DEMO))
    return agent


async def _found(scenario: Scenario, checks: Collection[Check]) -> list[Violation]:
    whole = await run_trial(scenario, scenario.turn())
    if (wrong := ends_wrongly(whole, Check.ORDER)) is not None:
        return [wrong]  # what is found besides would follow from it
    found: list[Violation] = []
    if Check.COMMITS in checks:
        found += await commits(scenario)
    if Check.BLOCKING in checks:
        found += await blocking(scenario)
    if Check.RESUMPTION in checks:
        found += await resumption(scenario, whole)
    if Check.APPROVALS in checks:
        found += await approvals(scenario, whole)
    if Check.HISTORY in checks:
        found += await in_threads(scenario, whole)
    if Check.ISOLATION in checks:
        found += await isolation(scenario, whole)
    if Check.CANCELLATION in checks:
        found += await cancellation(scenario, whole)
    return found


class AgentContract:
    """The checks as tests that pytest finds, in a class of yours whose name begins with `Test`. Its attributes are
    `check_agent`'s arguments; what changes from test to test (a count of a tool's effects) is a method."""

    agent: ClassVar[AgentDefinition | AgentRecipe]
    text: ClassVar[str] = "Hello."
    history: ClassVar[Sequence[Message]] = ()
    idempotent: ClassVar[Collection[str]] = ()
    stops_within_s: ClassVar[float] = 1.0
    blocks_s: ClassVar[float] = 0.2
    silent_s: ClassVar[float] = 10.0

    def tool_effects(self) -> object:
        """Changes whenever a tool has done something."""

    def model_requests(self) -> object:
        """Changes whenever the model is asked."""

    def still_open(self) -> object:
        """Whether a stream of the model is open."""

    def test_its_events_are_of_the_protocol(self) -> None:
        """Their types, their order, and the ids of calls."""
        self._check(Check.ORDER)

    def test_nothing_is_done_before_its_event_is_taken(self) -> None:
        """A tool does not run, and the model is not asked, before the log has what they follow from."""
        self._check(Check.COMMITS)

    def test_it_stops_when_it_is_cancelled(self) -> None:
        """At once, wherever it is, and leaves no task, thread or stream."""
        self._check(Check.CANCELLATION)

    def test_it_goes_on_where_an_engine_was_lost(self) -> None:
        """What completed is not done again, and what may have run is refused or may run twice."""
        self._check(Check.RESUMPTION)

    def test_it_keeps_to_what_its_user_has_decided(self) -> None:
        """Yes, no, and no answer in time."""
        self._check(Check.APPROVALS)

    def test_it_goes_on_in_a_thread_with_a_history(self) -> None:
        """Its own, and another agent's."""
        self._check(Check.HISTORY)

    def test_it_leaves_its_event_loop_free(self) -> None:
        """For cancels and for what else it does."""
        self._check(Check.BLOCKING)

    def test_its_runs_share_nothing(self) -> None:
        """One behind another, and two at once."""
        self._check(Check.ISOLATION)

    def _check(self, check: Check) -> None:
        kind = type(self)
        work = check_agent(
            kind.agent,
            kind.text,
            history=kind.history,
            idempotent=kind.idempotent,
            tool_effects=self.tool_effects,
            model_requests=self.model_requests,
            still_open=self.still_open,
            checks=(check,),
            stops_within_s=kind.stops_within_s,
            blocks_s=kind.blocks_s,
            silent_s=kind.silent_s,
        )
        asyncio.run(work)
