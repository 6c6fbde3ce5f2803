"""The check on isolation: what one run does does not depend on others, before it or beside it."""

import asyncio
from collections.abc import Sequence
from typing import Final

from dayfly.agents.sdk.protocol import (
    AgentEvent,
    Answered,
    Asked,
    Delta,
    ReasoningDelta,
    Thinking,
    ToolEnded,
    ToolStarted,
)
from dayfly.agents.testing.trial import Attempt, Scenario, Trial, run_attempt, run_trial
from dayfly.agents.testing.violations import Check, Violation

OTHER_TEXT: Final = "Something else."
"""What the other run's user says."""
TURN_S: Final = 0.002
"""How long each of two runs waits between its events, so that the other has its turn."""
_WHY: Final = "Either runs share something, or its model does not answer alike twice: give it one that does."


async def isolation(scenario: Scenario, whole: Trial) -> list[Violation]:
    """Runs it again behind another user's run, and beside one."""
    if scenario.recipe() is scenario.recipe():
        return [_violation("Its recipe gives the same agent twice: each run attempt has a new one.")]
    other = await run_trial(scenario, scenario.turn(user="u-other", text=OTHER_TEXT))
    if other.attempts[-1].error is not None:
        return [_violation(f"It fails on {OTHER_TEXT!r}, said by another user. {other.attempts[-1].error}")]
    again = await run_trial(scenario, scenario.turn())
    if (differs := _difference(whole.events, again.events)) is not None:
        return [_violation(f"The same run, behind another user's, went otherwise: {differs} {_WHY}")]
    mine, theirs = await _beside(scenario)
    for alone, beside in ((whole.attempts[0], mine), (other.attempts[0], theirs)):
        if (differs := _difference(alone.events, beside.events)) is not None:
            return [_violation(f"Beside another user's run, the same run went otherwise: {differs} {_WHY}")]
    return []


async def _beside(scenario: Scenario) -> tuple[Attempt, Attempt]:
    """Two runs that take turns, event by event."""

    async def pause(event: AgentEvent) -> None:
        del event
        await asyncio.sleep(TURN_S)

    return await asyncio.gather(
        run_attempt(scenario, scenario.turn(), pause),
        run_attempt(scenario, scenario.turn(user="u-other", text=OTHER_TEXT), pause),
    )


def _difference(one: Sequence[AgentEvent], other: Sequence[AgentEvent]) -> str | None:
    first, second = _shape(one), _shape(other)
    for left, right in zip(first, second, strict=False):
        if left != right:
            return f"{right} came in the place of {left}."
    if len(first) != len(second):
        longer, what = (first, "was missing") if len(first) > len(second) else (second, "came besides")
        return f"{longer[min(len(first), len(second))]} {what}."
    return None


def _shape(events: Sequence[AgentEvent]) -> list[str]:
    """What does not differ from run to run: no ids, no times, no counts; deltas joined."""
    shape: list[str] = []
    said = ""
    for event in events:
        if isinstance(event, Delta):
            said += event.text
            continue
        if said:
            shape.append(f"the text {said!r}")
            said = ""
        if isinstance(event, Thinking | ReasoningDelta):
            continue
        match event:
            case ToolStarted(name, _, parameters):
                shape.append(f"a start of {name}({parameters})")
            case ToolEnded(answer):
                shape.append(f"a result of {answer.name}: {answer.content!r}")
            case Answered(text):
                shape.append(f"the answer {text!r}")
            case Asked(calls):
                shape.append(f"a question about {', '.join(call.tool_name for call in calls)}")
            case _:
                shape.append(f"a {type(event).__name__}")
    return shape


def _violation(sentence: str) -> Violation:
    return Violation(Check.ISOLATION, sentence)
