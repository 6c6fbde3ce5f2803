"""A run without an engine."""

from collections.abc import AsyncIterator

import pytest

from dayfly.agents.dry_run import dry_run, warm_up
from dayfly.agents.sdk import (
    AgentEvent,
    AgentFailed,
    Answered,
    Asked,
    Decision,
    Delta,
    OpenCall,
    ToolAnswered,
    ToolEnded,
    Turn,
)
from dayfly.agents.sdk.conduct import AgentBrokeProtocol


class Scripted:
    """Yields these events."""

    def __init__(self, *events: AgentEvent) -> None:
        self._events = events

    async def run(self, turn: Turn) -> AsyncIterator[AgentEvent]:
        for event in self._events:
            yield event


def approve(call: OpenCall) -> Decision:
    return Decision(call.tool_call_id, approved=True)


async def test_a_run_ends_with_an_answer_or_a_question() -> None:
    """So it does under an engine."""
    for events in ((Delta("Hi."), Answered("Hi.")), (Asked((OpenCall("buy", "c-1", {}),)),)):
        assert await dry_run(lambda events=events: Scripted(*events), "Go.") == events


@pytest.mark.parametrize("events", [(), (Delta("Hi."),)])
async def test_any_other_end_is_the_agents_failure(events: tuple[AgentEvent, ...]) -> None:
    """Nothing at all, and no answer: it neither goes on nor counts as a run."""
    with pytest.raises(AgentFailed, match="without an answer"):
        await dry_run(lambda: Scripted(*events), "Go.", decide=approve)


async def test_what_breaks_the_protocol_is_told_as_an_engine_would() -> None:
    """A question about nothing, a result that was not begun."""
    for event, what in (
        (Asked(()), "approval of no tool call"),
        (ToolEnded(ToolAnswered("c", "t", "x"), 0), "started"),
    ):
        with pytest.raises(AgentBrokeProtocol, match=what):
            await dry_run(lambda event=event: Scripted(event), "Go.", decide=approve)


def test_the_warm_up_runs_through() -> None:
    """In the init phase, outside any event loop."""
    warm_up()
