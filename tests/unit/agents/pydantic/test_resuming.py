"""A run that goes on from what earlier attempts have left."""

import itertools
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest
from pydantic_ai.messages import ModelMessage, ModelResponse
from pydantic_ai.models.function import AgentInfo

from dayfly.agents.sdk.definition import Tool
from dayfly.agents.sdk.protocol import (
    AgentEvent,
    Answered,
    Asked,
    Delta,
    Responded,
    Thinking,
    ToolEnded,
    ToolStarted,
    Turn,
)
from dayfly.agents.sdk.tool_context import ToolContext, ToolError
from dayfly.errors import AgentFailed, ToolOutcomeUnknown
from dayfly.log.messages import AssistantSaid, Decision, Message, ToolAnswered, ToolCall, ToolOutcome
from tests.unit.agents.support import Piece, agent_of, assert_whole, call, collect, events_of, kinds, responses, turn

TWO_CUTS = list(itertools.product(range(13), (0, 2, 4)))


async def test_a_resumed_run_goes_on_behind_its_last_result() -> None:
    """A tool that has answered is not run again; the steps are counted on."""
    ran: list[str] = []

    def touch() -> str:
        """Touches."""
        ran.append("touch")
        return "again"

    resumed = (AssistantSaid("", (ToolCall("c-1", "touch", "{}"),)), ToolAnswered("c-1", "touch", "once"))
    events = await events_of(agent_of(responses(("Touched.",)), touch), turn(resumed=resumed))
    assert kinds(events) == [Thinking, Delta, Responded, Answered]
    assert isinstance(events[0], Thinking)
    assert events[0].step == 2
    assert ran == []


async def test_a_resumed_run_carries_out_the_calls_that_are_open() -> None:
    """Of two calls, only the one without a result runs."""
    ran: list[str] = []

    async def touch(context: ToolContext, what: str) -> str:
        """Touches."""
        ran.append(f"{what} {context.idempotency_key}")
        return "ok"

    calls = (ToolCall("a", "touch", '{"what": "one"}'), ToolCall("b", "touch", '{"what": "two"}'))
    resumed = (AssistantSaid("", calls), ToolAnswered("a", "touch", "ok"))
    events = await events_of(agent_of(responses(("Both.",)), touch), turn(resumed=resumed))
    assert kinds(events) == [ToolStarted, ToolEnded, Thinking, Delta, Responded, Answered]
    assert ran == ["two r-1:b"]


async def test_a_resumed_run_with_its_answer_only_ends() -> None:
    """The answer was there whole; no model is asked again."""
    events = await events_of(agent_of(responses()), turn(resumed=(AssistantSaid("All done."),)))
    assert events == [Answered("All done.")]


@dataclass
class Doing:
    """Tools that note what they did, and a model that asks for them in two responses, then answers."""

    ran: list[str] = field(default_factory=list)
    asked_with: list[list[ModelMessage]] = field(default_factory=list)

    async def look(self, context: ToolContext, what: str) -> str:
        """Looks."""
        self.ran.append(context.idempotency_key)
        return f"seen {what}"

    async def buy(self, context: ToolContext) -> str:
        """Buys."""
        self.ran.append(context.idempotency_key)
        return "bought"

    async def script(self, messages: list[ModelMessage], info: AgentInfo) -> AsyncIterator[Piece]:
        self.asked_with.append(messages)
        match sum(isinstance(message, ModelResponse) for message in messages):
            case 0:
                yield "Let me see. "
                yield call("look", '{"what": "a"}', "a")
                yield call("look", '{"what": "b"}', "b", place=1)
            case 1:
                yield call("look", '{"what": "c"}', "c")
                yield call("buy", "{}", "d", place=1)
            case _:
                yield "All "
                yield "done."

    async def attempt(self, given: Turn, *, cut: int | None = None) -> list[AgentEvent]:
        """One attempt with an agent of its own; `cut`: it is lost behind this many events."""
        buy = Tool(self.buy, requires_approval=True, idempotent=True)
        run = agent_of(self.script, Tool(self.look, idempotent=True), buy).run(given)
        taken: list[AgentEvent] = []
        async for event in run:
            if cut is not None and len(taken) == cut:
                break
            taken.append(event)
        await run.aclose()
        return taken


def left_by(events: list[AgentEvent], *decisions: Decision) -> Turn:
    """What the log gives the next attempt. A `Responded` or result counts once taken, as a commit does."""
    resumed: list[Message] = []
    started: set[str] = set()
    for event in events:
        if isinstance(event, Responded):
            resumed.append(event.message)
        elif isinstance(event, ToolStarted):
            started.add(event.tool_call_id)
        elif isinstance(event, ToolEnded):
            resumed.append(event.answer)
    ended = {message.call_id for message in resumed if isinstance(message, ToolAnswered)}
    undone = tuple(decision for decision in decisions if decision.call_id not in ended)
    return turn(resumed=tuple(resumed), in_doubt=frozenset(started - ended), decisions=undone)


def _call_of(event: AgentEvent) -> str | None:
    if isinstance(event, ToolEnded):
        return event.answer.call_id
    return event.tool_call_id if isinstance(event, ToolStarted) else None


async def to_the_end(doing: Doing, *cuts: int) -> list[AgentEvent]:
    """All events of a run whose first attempts are lost as said; the user allows what is asked for."""
    events: list[AgentEvent] = []
    decisions: tuple[Decision, ...] = ()
    left = list(cuts)
    for _ in range(len(cuts) + 3):
        given = left_by(events, *decisions)
        events += await doing.attempt(given, cut=left.pop(0) if left else None)
        if events and isinstance(events[-1], Answered):
            return events
        last = events[-1] if events else None
        if isinstance(last, Asked):
            assert "d" not in {event.tool_call_id for event in events if isinstance(event, ToolStarted)}
            assert [one.tool_call_id for one in last.calls] == ["d"]
            decisions = (Decision("d", approved=True),)
    raise AssertionError("the run came to no end")


@pytest.mark.parametrize("cuts", TWO_CUTS)
async def test_a_run_cut_anywhere_comes_to_the_same_end(cuts: tuple[int, ...]) -> None:
    """Wherever engines are lost, each call ends once and nothing is done again behind that, the steps are counted on,
    and no model is given a torn conversation."""
    doing = Doing()
    events = await to_the_end(doing, *cuts)
    assert events[-1] == Answered("All done.")
    for call_id in "abcd":
        own = [event for event in events if _call_of(event) == call_id]
        assert kinds(own)[-2:] == [ToolStarted, ToolEnded]
        assert kinds(own).count(ToolEnded) == 1
    steps = [event.step for event in events if isinstance(event, Thinking)]
    assert steps == sorted(steps)
    assert set(steps) == {1, 2, 3}
    assert kinds(events).count(Responded) == 3
    for messages in doing.asked_with:
        assert_whole(messages)


def resumed_with(*calls: ToolCall, ended: tuple[ToolAnswered, ...] = ()) -> tuple[Message, ...]:
    return (AssistantSaid("", calls), *ended)


async def test_a_call_in_doubt_is_carried_out_again_if_it_may() -> None:
    """With its tool's two events, under the same idempotency key."""
    doing = Doing()
    given = turn(resumed=resumed_with(ToolCall("a", "look", '{"what": "x"}')), in_doubt=frozenset({"a"}))
    events = await doing.attempt(given)
    assert kinds(events)[:2] == [ToolStarted, ToolEnded]
    assert doing.ran[0] == "r-1:a"


@pytest.mark.parametrize("name", ["touch", "gone"])
async def test_a_call_in_doubt_that_may_not_run_twice_ends_the_run(name: str) -> None:
    """Before anything else happens; the error names the tool. So does a tool that is there no more."""
    ran: list[str] = []

    def touch() -> str:
        """Touches."""
        ran.append("touch")
        return ""

    def look() -> str:
        """Looks."""
        ran.append("look")
        return ""

    calls = (ToolCall("a", "look", "{}"), ToolCall("b", name, "{}"))
    given = turn(resumed=resumed_with(*calls), in_doubt=frozenset({"a", "b"}))
    seen: list[AgentEvent] = []
    with pytest.raises(ToolOutcomeUnknown, match=f"while {name} was"):
        await collect(agent_of(responses(), touch, Tool(look, idempotent=True)).run(given), seen)
    assert seen == []
    assert ran == []


async def test_a_call_that_has_ended_is_in_no_doubt() -> None:
    """Whatever the engine says."""

    def touch() -> str:
        """Touches."""
        raise AssertionError

    resumed = resumed_with(ToolCall("a", "touch", "{}"), ended=(ToolAnswered("a", "touch", "once"),))
    given = turn(resumed=resumed, in_doubt=frozenset({"a"}))
    assert (await events_of(agent_of(responses(("Done.",)), touch), given))[-1] == Answered("Done.")


async def test_an_open_call_that_fits_no_tool_is_an_error_result() -> None:
    """A tool that the model made up is not waited for."""
    given = turn(resumed=resumed_with(ToolCall("a", "gone", "{}")))
    events = await events_of(agent_of(responses(("Sorry.",))), given)
    assert isinstance(events[0], ToolEnded)
    assert events[0].answer.outcome is ToolOutcome.ERROR
    assert ToolStarted not in kinds(events)
    assert events[-1] == Answered("Sorry.")


async def test_a_resumed_run_has_no_fresh_budget_of_requests() -> None:
    """The requests of earlier attempts count; where they used it up, open calls still end."""

    def more() -> str:
        """More."""
        return "more"

    async def script(messages: list[ModelMessage], info: AgentInfo) -> AsyncIterator[Piece]:
        yield call("more", call_id=f"c-{len(messages)}")

    first = (AssistantSaid("", (ToolCall("a", "more", "{}"),)), ToolAnswered("a", "more", "more"))
    second = (*first, AssistantSaid("", (ToolCall("b", "more", "{}"),)))
    for resumed, expected in (
        (first, [Thinking, Responded, ToolStarted, ToolEnded]),
        (second, [ToolStarted, ToolEnded]),
    ):
        seen: list[AgentEvent] = []
        with pytest.raises(AgentFailed, match="2 model requests"):
            await collect(agent_of(script, more, max_model_requests=2).run(turn(resumed=resumed)), seen)
        assert kinds(seen) == expected


async def test_a_tool_that_kept_failing_before_keeps_failing() -> None:
    """The responses of earlier attempts count."""

    def no() -> str:
        """Refuses."""
        raise ToolError("No.")

    async def script(messages: list[ModelMessage], info: AgentInfo) -> AsyncIterator[Piece]:
        yield call("no", call_id=f"c-{len(messages)}")

    resumed: list[Message] = []
    for number in range(3):
        resumed.append(AssistantSaid("", (ToolCall(f"a-{number}", "no", "{}"),)))
        resumed.append(ToolAnswered(f"a-{number}", "no", "No.", ToolOutcome.ERROR))
    seen: list[AgentEvent] = []
    with pytest.raises(AgentFailed, match="The tool no kept failing"):
        await collect(agent_of(script, no).run(turn(resumed=tuple(resumed))), seen)
    assert kinds(seen) == [Thinking, Responded, ToolStarted, ToolEnded]
