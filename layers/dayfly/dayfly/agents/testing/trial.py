"""Drives an agent through one run as an engine does, attempt by attempt, in memory."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from dataclasses import dataclass, field, replace
from typing import Final

from dayfly.agents.sdk.conduct import AgentBrokeProtocol, Conduct, begin_run, close_run
from dayfly.agents.sdk.protocol import AgentEvent, AgentRecipe, Answered, Asked, OpenCall, ToolEnded, Turn
from dayfly.agents.sdk.run_steps import steps_of
from dayfly.agents.testing.violations import Check, Violation, behind, told
from dayfly.clock import Clock, SystemClock
from dayfly.context.execution import UserExecutionContext
from dayfly.context.run_ref import RunRef
from dayfly.errors import ToolOutcomeUnknown
from dayfly.log.fold import LogStep, Resumption, Voided, resumption_of
from dayfly.log.messages import Decision, Message
from dayfly.store.memory import MemoryTable

MOST_ATTEMPTS: Final = 10
"""An agent that asks its user more often than this is taken for one that never ends."""
RUN_S: Final = 600.0

Decide = Callable[[OpenCall], Decision]
Pause = Callable[[AgentEvent], Awaitable[None]]


def approve_all(call: OpenCall) -> Decision:
    """Allows every call."""
    return Decision(call.tool_call_id, approved=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """The agent, what is said to it, and by what its author lets it be watched (see `check_agent`)."""

    recipe: AgentRecipe
    text: str
    history: tuple[Message, ...] = ()
    idempotent: frozenset[str] = frozenset()
    tool_effects: Callable[[], object] | None = None
    model_requests: Callable[[], object] | None = None
    still_open: Callable[[], object] | None = None
    stops_within_s: float = 1.0
    blocks_s: float = 0.2
    silent_s: float = 10.0
    clock: Clock = field(default_factory=SystemClock)

    def turn(self, *, user: str = "u-kit", text: str | None = None) -> Turn:
        """The turn of a fresh run of this user, with rows of its own."""
        context = UserExecutionContext(
            ref=RunRef(user_id=user, tenant_id=user, thread_id="t-kit", run_id=f"r-{user}"),
            request_id="kit",
            invocation_id="i-kit",
            agent_name="checked",
            attempt=1,
            first_seq=2,
            deadline=self.clock.monotonic() + RUN_S,
        )
        return Turn(
            context=context,
            text=self.text if text is None else text,
            history=self.history,
            table=MemoryTable(),
            clock=self.clock,
        )


@dataclass(frozen=True, slots=True)
class Attempt:
    """What one attempt was given and what it yielded; `error` is what it raised in the end."""

    turn: Turn
    events: tuple[AgentEvent, ...]
    error: Exception | None = None

    @property
    def last(self) -> Answered | Asked | None:
        """Its last word."""
        last = self.events[-1] if self.events else None
        return last if isinstance(last, Answered | Asked) else None

    def violation(self, check: Check, doing: str = "") -> Violation | None:
        """What is wrong with its end, if anything is."""
        if self.error is None:
            return None
        doing = f" {doing}" if doing else ""
        if isinstance(self.error, AgentBrokeProtocol):
            return Violation(check, f"{self.error}{doing and f' (It happened{doing}.)'}")
        if isinstance(self.error, TimeoutError) and not str(self.error):
            return Violation(check, f"It gave nothing more{doing} {behind(self.events)}.")
        return Violation(check, f"It raised{doing}, {behind(self.events)}: {told(self.error)}")


@dataclass(frozen=True, slots=True)
class Trial:
    """A run over its attempts. `steps` is its log."""

    attempts: tuple[Attempt, ...]
    steps: tuple[LogStep, ...]

    @property
    def events(self) -> tuple[AgentEvent, ...]:
        """The events of all attempts."""
        return tuple(event for attempt in self.attempts for event in attempt.events)

    @property
    def answer(self) -> Answered | None:
        """The answer, if it came to that."""
        last = self.attempts[-1].last
        return last if isinstance(last, Answered) else None


async def run_attempt(scenario: Scenario, turn: Turn, pause: Pause | None = None) -> Attempt:
    """Runs one attempt to its end. `pause` is awaited between an event and the asking for the next."""
    events: list[AgentEvent] = []
    conduct = Conduct(turn.resumed, decisions=turn.decisions)
    error: Exception | None = None
    try:
        given = begin_run(scenario.recipe(), turn)
        try:
            while (event := await _next(given, scenario.silent_s)) is not None:
                events.append(conduct.taken(event))
                if pause is not None:
                    await pause(events[-1])
        finally:
            await close_run(given)
        if not (events and isinstance(events[-1], Answered | Asked)):
            raise AgentBrokeProtocol(
                f"The agent ended {behind(events)}. `run` ends with one `Answered` or `Asked`, and nothing less."
            )
    except Exception as raised:  # noqa: BLE001  # somebody else's code: whatever it raises is what is told
        error = raised
    return Attempt(turn, tuple(events), error)


async def run_trial(
    scenario: Scenario,
    turn: Turn,
    *,
    steps: tuple[LogStep, ...] = (),
    decide: Decide = approve_all,
    pause: Pause | None = None,
) -> Trial:
    """Runs a run to its answer, its user deciding by `decide`; `steps` is what its log holds already."""
    attempts: list[Attempt] = []
    for _ in range(MOST_ATTEMPTS):
        attempt = await run_attempt(scenario, turn, pause)
        attempts.append(attempt)
        steps = (*steps, *steps_of(attempt.events, resumed=turn.resumed, first=next_seq(steps)))
        if attempt.error is not None or not isinstance(attempt.last, Asked):
            return Trial(tuple(attempts), steps)
        decisions = tuple(decide(call) for call in attempt.last.calls)
        turn = turn_after(turn, resumption_of(steps), (*turn.decisions, *decisions))
    error = AgentBrokeProtocol(f"The agent asked its user {MOST_ATTEMPTS} times, and gave no answer.")
    return Trial((*attempts[:-1], replace(attempts[-1], error=error)), steps)


def turn_after(turn: Turn, resumption: Resumption, decisions: Collection[Decision]) -> Turn:
    """The turn of the next attempt."""
    ended = {message.call_id for message in resumption.messages if message.kind == "tool"}
    return replace(
        turn,
        context=replace(turn.context, attempt=turn.context.attempt + 1),
        resumed=resumption.messages,
        in_doubt=resumption.in_doubt,
        decisions=tuple(decision for decision in decisions if decision.call_id not in ended),
    )


async def go_on(scenario: Scenario, turn: Turn, before: tuple[LogStep, ...], taken: tuple[AgentEvent, ...]) -> Trial:
    """Runs a run on whose engine was lost when so many events of the attempt with this turn were taken. `before` is
    the log of the attempts before it."""
    steps = (*before, *steps_of(taken, resumed=turn.resumed, first=next_seq(before)))
    resumption = resumption_of(steps)
    steps = (*steps, Voided(resumption.completed_seq))
    return await run_trial(scenario, turn_after(turn, resumption, turn.decisions), steps=steps)


def next_seq(steps: tuple[LogStep, ...]) -> int:
    """A seq behind all of the steps: seqs may have gaps here, and never go back."""
    seqs = [getattr(step, "seq", 0) or getattr(step, "completes", 0) for step in steps]
    return max(seqs, default=1) + 1


def results_in(events: Collection[AgentEvent]) -> dict[str, ToolEnded]:
    """The results, by their calls' ids."""
    return {event.answer.call_id: event for event in events if isinstance(event, ToolEnded)}


def is_refusal(attempt: Attempt) -> bool:
    """Whether it refused to go on because of a call in doubt, before anything else."""
    return isinstance(attempt.error, ToolOutcomeUnknown) and not attempt.events


async def _next(events: AsyncIterator[AgentEvent], within_s: float) -> AgentEvent | None:
    async with asyncio.timeout(within_s):
        return await anext(events, None)
