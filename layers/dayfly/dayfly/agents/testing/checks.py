"""The checks on one run at a time: order, commits, resumption, approvals, history."""

import asyncio
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final

from dayfly.agents.sdk.protocol import (
    AgentEvent,
    Asked,
    OpenCall,
    Responded,
    Retrying,
    Thinking,
    ToolEnded,
    ToolStarted,
)
from dayfly.agents.sdk.run_steps import steps_of
from dayfly.agents.testing.trial import (
    Attempt,
    Decide,
    Scenario,
    Trial,
    approve_all,
    go_on,
    is_refusal,
    next_seq,
    results_in,
    run_trial,
)
from dayfly.agents.testing.violations import Check, Violation, behind, named
from dayfly.errors import ToolOutcomeUnknown
from dayfly.log.fold import LogStep, fold
from dayfly.log.messages import AssistantSaid, Decision, Message, ToolAnswered, ToolCall, ToolOutcome, UserSaid

HOLD_S: Final = 0.02
"""How long an event that an engine commits is held before it is taken."""
COMMITTED: Final = (Thinking, Responded, Retrying, ToolStarted, ToolEnded)

EARLIER: Final[tuple[Message, ...]] = (
    UserSaid("Look."),
    AssistantSaid("I look.", (ToolCall("kit-1", "look", "{}"), ToolCall("kit-2", "look", "{}"))),
    ToolAnswered("kit-1", "look", ""),
    ToolAnswered("kit-2", "look", "The run ended before this tool answered.", ToolOutcome.UNANSWERED),
    UserSaid("Again."),
    UserSaid("Well?"),
    AssistantSaid("I can"),
)
"""What any thread may hold: calls of a tool that another agent has, one of which nothing came; a run without an answer,
and one that was cut off."""


def ends_wrongly(trial: Trial, check: Check, doing: str = "") -> Violation | None:
    """What is wrong with the run's end, if anything is."""
    return trial.attempts[-1].violation(check, doing)


async def commits(scenario: Scenario) -> list[Violation]:
    """Holds each event that an engine commits, and watches whether the agent goes ahead of it."""
    watch = _Ahead(scenario)
    await run_trial(scenario, scenario.turn(), pause=watch.held)
    return watch.violations


class _Ahead:
    """Looks at what the author lets it see whenever an event comes, and again before it is taken."""

    def __init__(self, scenario: Scenario) -> None:
        self.violations: list[Violation] = []
        self._scenario = scenario
        self._running: set[str] = set()
        self._tools, self._requests = self._look()
        self._taken: AgentEvent | None = None

    def _look(self) -> tuple[object, object]:
        watched = (self._scenario.tool_effects, self._scenario.model_requests)
        tools, requests = (None if look is None else look() for look in watched)
        return tools, requests

    async def held(self, event: AgentEvent) -> None:
        """To be awaited before the event is taken."""
        tools, requests = self._look()
        is_held = isinstance(event, COMMITTED)
        if is_held:
            await asyncio.sleep(HOLD_S)
        later_tools, later_requests = self._look()
        held = f"while {named(event)} waited to be taken"
        if later_tools != tools and not self._running:
            self._add(f"A tool did something {held}.")
        elif tools != self._tools and not self._running:
            self._add(f"A tool did something before {named(event)} came, while none was started.")
        if is_held and later_requests != requests:
            self._add(f"The model was asked {held}.")
        elif isinstance(event, ToolEnded) and requests != self._requests and isinstance(self._taken, ToolStarted):
            self._add(f"The model was asked before {named(event)} was taken, so it knew a result that may be lost.")
        self._tools, self._requests, self._taken = later_tools, later_requests, event
        if isinstance(event, ToolStarted):
            self._running.add(event.tool_call_id)
        elif isinstance(event, ToolEnded):
            self._running.discard(event.answer.call_id)

    def _add(self, sentence: str) -> None:
        rule = "What follows from an event stands behind its yield."
        self.violations.append(Violation(Check.COMMITS, f"{sentence} {rule}"))


async def resumption(scenario: Scenario, whole: Trial) -> list[Violation]:
    """Cuts the run behind each of its events, and looks at how it goes on."""
    found: list[Violation] = []
    before: tuple[LogStep, ...] = ()
    earlier: tuple[AgentEvent, ...] = ()
    for attempt in whole.attempts:
        for count in range(1, len(attempt.events)):
            taken = attempt.events[:count]
            trial = await go_on(scenario, attempt.turn, before, taken)
            found += _gone_on(scenario, whole, (*earlier, *taken), trial)
        before = (*before, *steps_of(attempt.events, resumed=attempt.turn.resumed, first=next_seq(before)))
        earlier = (*earlier, *attempt.events)
    return found


def _gone_on(scenario: Scenario, whole: Trial, taken: tuple[AgentEvent, ...], trial: Trial) -> Iterator[Violation]:
    first = trial.attempts[0]
    where = f"when it goes on from a loss {behind(taken)}"
    doubtful = _doubtful(first)
    forbidden = sorted({name for name in doubtful.values() if name not in scenario.idempotent})
    if is_refusal(first) and doubtful:
        return
    if isinstance(first.error, ToolOutcomeUnknown):
        why = "though no call is in doubt" if not doubtful else f"but {behind(first.events)} only"
        yield Violation(Check.RESUMPTION, f"It raised ToolOutcomeUnknown {where}, {why}; that comes before any event.")
        return
    if forbidden:
        yield Violation(
            Check.RESUMPTION,
            f"It went on {where}, though {', '.join(forbidden)} may have run and may not run twice: "
            "`turn.in_doubt` has such calls, and `ToolOutcomeUnknown` raised before any event refuses them.",
        )
        return
    if (wrong := ends_wrongly(trial, Check.RESUMPTION, where)) is not None:
        yield wrong
        return
    answered = results_in(trial.events)
    for call_id, name in doubtful.items():
        if call_id not in answered:
            yield Violation(Check.RESUMPTION, f"It left the call of {name} that had begun without a result {where}.")
    yield from _done_again(whole, taken, trial, where)
    told, expected = _told(scenario, trial), _told(scenario, whole)
    if told > max(expected, 1):
        yield Violation(
            Check.RESUMPTION,
            f"Its answer stands {told} times in the history {where}: `turn.resumed` ends with it already.",
        )


def _done_again(whole: Trial, taken: Sequence[AgentEvent], trial: Trial, where: str) -> Iterator[Violation]:
    completed = results_in(taken)
    before = Counter(_call(event) for event in _starts(taken) if event.tool_call_id in completed)
    again = Counter(_call(event) for event in _starts(trial.events))
    once = Counter(_call(event) for event in _starts(whole.events))
    for call in before:
        if before[call] + again[call] > once[call]:
            yield Violation(
                Check.RESUMPTION,
                f"It ran {call[0]}({call[1]}) again {where}, which had completed: `turn.resumed` has its result.",
            )


def _doubtful(first: Attempt) -> dict[str, str]:
    """The names of the calls in doubt, by their ids."""
    calls = [call for one in first.turn.resumed if isinstance(one, AssistantSaid) for call in one.calls]
    return {call.call_id: call.name for call in calls if call.call_id in first.turn.in_doubt}


def _starts(events: Sequence[AgentEvent]) -> list[ToolStarted]:
    return [event for event in events if isinstance(event, ToolStarted)]


def _call(event: ToolStarted) -> tuple[str, str]:
    return event.tool_name, json.dumps(event.parameters, sort_keys=True, default=str)


def _told(scenario: Scenario, trial: Trial) -> int:
    if trial.answer is None or not trial.answer.text.strip():
        return 0
    wanted = "".join(trial.answer.text.split())
    messages = fold(scenario.text, trial.steps)
    return sum(isinstance(one, AssistantSaid) and "".join(one.text.split()) == wanted for one in messages)


async def approvals(scenario: Scenario, whole: Trial) -> list[Violation]:
    """Where the run asks its user: everything allowed, nothing, and nothing in time."""
    found = list(_as_decided(whole, approve_all))
    if not any(isinstance(attempt.last, Asked) for attempt in whole.attempts):
        return found
    for reason in ("I do not want it.", "Nobody answered in time."):

        def deny(call: OpenCall, reason: str = reason) -> Decision:
            return Decision(call.tool_call_id, approved=False, reason=reason)

        trial = await run_trial(scenario, scenario.turn(), decide=deny)
        if (wrong := ends_wrongly(trial, Check.APPROVALS, "when its user says no")) is not None:
            found.append(wrong)
        found += _as_decided(trial, deny)
    return list(dict.fromkeys(found))


def _as_decided(trial: Trial, decide: Decide) -> Iterator[Violation]:
    for attempt, later in zip(trial.attempts, trial.attempts[1:], strict=False):
        asked = attempt.last
        if not isinstance(asked, Asked) or (later.error is not None and later is not trial.attempts[-1]):
            continue
        events = [event for one in trial.attempts[trial.attempts.index(later) :] for event in one.events]
        started = {event.tool_call_id for event in _starts(events)}
        ended = results_in(events)
        for call in asked.calls:
            approved = decide(call).approved
            if approved and call.tool_call_id not in started:
                yield Violation(Check.APPROVALS, f"It did not run {call.tool_name}, which its user has allowed.")
            if not approved and call.tool_call_id in started:
                yield Violation(Check.APPROVALS, f"It ran {call.tool_name}, which its user has denied.")
            elif not approved and call.tool_call_id not in ended:
                yield Violation(
                    Check.APPROVALS,
                    f"It left the denied call of {call.tool_name} without a result: yield `ToolEnded` with the outcome "
                    "DENIED and `denial_text`.",
                )


async def in_threads(scenario: Scenario, whole: Trial) -> list[Violation]:
    """A second run in the same thread, and one in a thread that another agent has left."""
    own = fold(scenario.text, whole.steps)
    found: list[Violation] = []
    for messages, what in ((own, "in the thread of its own first run"), (EARLIER, "in a thread of another agent's")):
        trial = await run_trial(replace(scenario, history=messages), replace(scenario.turn(), history=messages))
        if (wrong := ends_wrongly(trial, Check.HISTORY, what)) is not None:
            found.append(wrong)
    return found
