"""Loops of a developer's own that yield the least that the protocol asks of them: what becomes of their answers."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest

from dayfly.agents.sdk.protocol import (
    AgentEvent,
    Answered,
    Asked,
    Delta,
    OpenCall,
    Responded,
    Retrying,
    Thinking,
    ToolEnded,
    ToolStarted,
    Turn,
)
from dayfly.agents.sdk.run_steps import steps_of
from dayfly.engine.supervision import LAST_WORD_S
from dayfly.log.fold import fold
from dayfly.log.messages import (
    AssistantSaid,
    Message,
    ProviderState,
    ToolAnswered,
    ToolCall,
    ToolOutcome,
    UserSaid,
)
from dayfly.protocol.events import Finish
from tests.fakes.world import World, assert_ended_once, assert_history

TEXT = "How is the weather?"
LOOK = ToolCall("c-1", "look", '{"where": "out"}')
STARTED = ToolStarted("look", "c-1", {"where": "out"})
RAIN = ToolAnswered("c-1", "look", "rain")
ENDED = ToolEnded(RAIN, 3)
OTHER = ToolCall("c-2", "look", "{}")
SUN = ToolAnswered("c-2", "look", "sun")
DENIED = ToolAnswered("c-1", "look", "no", ToolOutcome.DENIED)
STATE = ProviderState("test", "signed")

FORMS: dict[str, tuple[tuple[AgentEvent, ...], tuple[Message, ...]]] = {
    "an answer alone": ((Answered("Rain."),), (AssistantSaid("Rain."),)),
    "how the answer ended": (
        (Answered("Rai", Finish.LENGTH),),
        (AssistantSaid("Rai", finish=Finish.LENGTH),),
    ),
    "deltas and an answer": ((Delta("Ra"), Delta("in."), Answered("Rain.")), (AssistantSaid("Rain."),)),
    "deltas whose end was told": (
        (Delta("Ra"), Delta("in"), Answered("Rain", Finish.LENGTH)),
        (AssistantSaid("Rain", finish=Finish.LENGTH),),
    ),
    "an answer that is not what was streamed": (
        (Delta("Rain [1]."), Answered("Rain.")),
        (AssistantSaid("Rain."),),
    ),
    "an answer that is not what was responded": (
        (Delta("Rain [1]."), Responded(AssistantSaid("Rain [1].", state=STATE)), Answered("Rain.")),
        (AssistantSaid("Rain."),),
    ),
    "an answer without the white space of its response": (
        (Responded(AssistantSaid("\n\nRain.\n", state=STATE)), Answered("Rain.")),
        (AssistantSaid("\n\nRain.\n", state=STATE),),
    ),
    "a response without its text": (
        (Delta("Rain."), Responded(AssistantSaid("")), Answered("Rain.")),
        (AssistantSaid("Rain."),),
    ),
    "deltas behind a response": (
        (Responded(AssistantSaid("Rain.")), Delta("Rain."), Answered("Rain.")),
        (AssistantSaid("Rain."),),
    ),
    "an empty answer": ((Delta("Rain."), Answered("")), (AssistantSaid("Rain."),)),
    "nothing": ((Answered(""),), ()),
    "a tool that no response asked for": (
        (STARTED, ENDED, Answered("Rain.")),
        (AssistantSaid("", (LOOK,)), RAIN, AssistantSaid("Rain.")),
    ),
    "text before a tool that no response asked for": (
        (Delta("Let me "), Delta("see. "), STARTED, ENDED, Delta("Rain."), Answered("Rain.")),
        (AssistantSaid("Let me see. ", (LOOK,)), RAIN, AssistantSaid("Rain.")),
    ),
    "an answer of all that was streamed": (
        (Delta("Let me see. "), STARTED, ENDED, Delta("Rain."), Answered("Let me see. Rain.")),
        (AssistantSaid("Let me see. ", (LOOK,)), RAIN, AssistantSaid("Rain.")),
    ),
    "an answer of all that was responded": (
        (
            Responded(AssistantSaid("Let me see.", (LOOK,))),
            STARTED,
            ENDED,
            Responded(AssistantSaid("Rain.")),
            Answered("Let me see.\n\nRain."),
        ),
        (AssistantSaid("Let me see.", (LOOK,)), RAIN, AssistantSaid("Rain.")),
    ),
    "tools side by side": (
        (STARTED, ToolStarted("look", "c-2", {}), ToolEnded(SUN, 1), ENDED, Answered("Both.")),
        (AssistantSaid("", (LOOK,)), RAIN, AssistantSaid("", (OTHER,)), SUN, AssistantSaid("Both.")),
    ),
    "tools of which one was asked for": (
        (
            Responded(AssistantSaid("", (LOOK,))),
            ToolStarted("look", "c-2", {}),
            STARTED,
            ENDED,
            ToolEnded(SUN, 1),
            Answered("Both."),
        ),
        (AssistantSaid("", (LOOK,)), RAIN, AssistantSaid("", (OTHER,)), SUN, AssistantSaid("Both.")),
    ),
    "results behind a later response": (
        (
            Responded(AssistantSaid("", (LOOK,))),
            Responded(AssistantSaid("So.", (OTHER,))),
            STARTED,
            ENDED,
            ToolStarted("look", "c-2", {}),
            ToolEnded(SUN, 1),
            Answered("Both."),
        ),
        (AssistantSaid("", (LOOK,)), RAIN, AssistantSaid("So.", (OTHER,)), SUN, AssistantSaid("Both.")),
    ),
    "text while a tool runs": (
        (Responded(AssistantSaid("", (LOOK,))), STARTED, Delta("Looking. "), ENDED, Answered("Rain.")),
        (AssistantSaid("Looking. ", (LOOK,)), RAIN, AssistantSaid("Rain.")),
    ),
    "a call that was never carried out": (
        (Responded(AssistantSaid("Let me see.", (LOOK,))), Answered("I'd rather not.")),
        (
            AssistantSaid("Let me see.", (LOOK,)),
            ToolAnswered("c-1", "look", "The run ended before this tool answered.", ToolOutcome.UNANSWERED),
            AssistantSaid("I'd rather not."),
        ),
    ),
    "a refusal of the loop's own": (
        (ToolEnded(DENIED, 0), Answered("No.")),
        (AssistantSaid("", (replace(LOOK, arguments="{}"),)), DENIED, AssistantSaid("No.")),
    ),
    "text that was tried again": (
        (Delta("Su"), Retrying("unavailable", 1, 0), Delta("Rain."), Answered("Rain.")),
        (AssistantSaid("Rain."),),
    ),
    "text that was tried again before a tool": (
        (Delta("Su"), Retrying("unavailable", 1, 0), Delta("Well. "), STARTED, ENDED, Answered("Rain.")),
        (AssistantSaid("Well. ", (LOOK,)), RAIN, AssistantSaid("Rain.")),
    ),
    "the same words before and behind a tool": (
        (Delta("Rain."), STARTED, ENDED, Delta("Rain."), Answered("Rain.")),
        (AssistantSaid("Rain.", (LOOK,)), RAIN, AssistantSaid("Rain.")),
    ),
    "several responses before the answer": (
        (Responded(AssistantSaid("Draft.")), Responded(AssistantSaid("Rain.")), Answered("Rain.")),
        (AssistantSaid("Draft."), AssistantSaid("Rain.")),
    ),
    "half an emoji": ((Answered("Rain \ud83d"),), (AssistantSaid("Rain \ufffd"),)),
}


@pytest.mark.parametrize("name", FORMS)
async def test_its_answer_is_in_the_history_once(name: str, world: World) -> None:
    """And is given to the next turn; each call has its result behind the response that asked for it, and a page of the
    history shows what was said."""
    events, expected = FORMS[name]
    seen: list[Turn] = []

    async def minimal(turn: Turn) -> AsyncIterator[AgentEvent]:
        seen.append(turn)
        for event in events if turn.text == TEXT else (Answered("Yes."),):
            yield event

    world.agents.scripts["assistant"] = minimal
    call = await world.admitted(TEXT)
    assert (await world.engine(call)).outcome == "completed"
    assert assert_ended_once(world, call.run_id) == "agent_completed"
    messages = tuple(await assert_history(world, call.thread_id))
    assert messages == (UserSaid(TEXT), *expected)
    page = await world.ask("history", thread_id=call.thread_id)
    shown = [message["text"] for message in page["messages"] if message["role"] == "assistant"]
    assert shown == [one.text for one in expected if isinstance(one, AssistantSaid) and one.text]
    again = await world.admitted("Again?", thread_id=call.thread_id)
    await world.engine(again)
    assert seen[1].history == messages


@pytest.mark.parametrize("name", [name for name in FORMS if name != "half an emoji"])
def test_a_trial_has_the_same_history(name: str) -> None:
    """What `ask` gives as messages is what an engine would have kept."""
    events, expected = FORMS[name]
    assert fold(TEXT, steps_of(events)) == (UserSaid(TEXT), *expected)


@pytest.mark.parametrize("cut_behind", range(5))
async def test_it_goes_on_where_an_engine_was_lost(cut_behind: int, world: World) -> None:
    """The next attempt is given the calls and results that no response told of; text that was half said is void, and
    the answer stands once in the history."""
    script: tuple[AgentEvent, ...] = (Delta("Let me see. "), STARTED, ENDED, Delta("Ra"), Delta("in."))
    given: list[Turn] = []

    async def minimal(turn: Turn) -> AsyncIterator[AgentEvent]:
        given.append(turn)
        ended = any(isinstance(message, ToolAnswered) for message in turn.resumed)
        rest = script[3:] if ended else script[1:3] + script[3:] if turn.resumed else script
        for place, event in enumerate(rest):
            yield event
            if len(given) == 1 and place == cut_behind:
                await asyncio.sleep(100)
        yield Answered("Rain.")

    call = await world.killed(minimal, text=TEXT)
    await world.recover()
    asking = AssistantSaid("Let me see. ", (LOOK,))
    assert given[1].resumed == ((), (asking,), (asking, RAIN), (asking, RAIN), (asking, RAIN))[cut_behind]
    assert given[1].in_doubt == ({"c-1"} if cut_behind == 1 else frozenset())
    assert assert_ended_once(world, call.run_id) == "agent_completed"
    assert await assert_history(world, call.thread_id) == [UserSaid(TEXT), asking, RAIN, AssistantSaid("Rain.")]


@pytest.mark.parametrize("approved", [True, False])
async def test_it_may_ask_its_user_without_a_response(world: World, *, approved: bool) -> None:
    """The attempt behind the answer is given the call with its parameters, and what was said before."""
    given: list[Turn] = []

    async def asking(turn: Turn) -> AsyncIterator[AgentEvent]:
        given.append(turn)
        if not turn.decisions:
            yield Delta("May I? ")
            yield Asked((OpenCall("look", "c-1", {"where": "out"}),))
            return
        if turn.decisions[0].approved:
            yield STARTED
            yield ENDED
        else:
            yield ToolEnded(DENIED, 0)
        yield Answered("So.")

    world.agents.scripts["assistant"] = asking
    call = await world.admitted(TEXT)
    await world.serve()
    await world.approve(call.run_id, "c-1", approved=approved)
    await world.serve()
    asked = AssistantSaid("May I? ", (LOOK,))
    assert given[1].resumed == (asked,)
    assert assert_ended_once(world, call.run_id) == "agent_completed"
    result = RAIN if approved else DENIED
    assert await assert_history(world, call.thread_id) == [UserSaid(TEXT), asked, result, AssistantSaid("So.")]


@pytest.mark.parametrize("lost", [False, True])
async def test_what_it_has_not_told_counts_as_no_request(world: World, *, lost: bool) -> None:
    """`usage.requests` has the responses that it yielded, over all attempts."""

    async def minimal(turn: Turn) -> AsyncIterator[AgentEvent]:
        if not turn.resumed:
            yield STARTED
            yield ENDED
            if lost:
                await asyncio.sleep(100)
        yield Responded(AssistantSaid("Rain."), 5, 2)
        yield Answered("Rain.")

    if lost:
        call = await world.killed(minimal, text=TEXT)
        await world.recover()
    else:
        world.agents.scripts["assistant"] = minimal
        call = await world.admitted(TEXT)
        await world.serve()
    assert world.log(call.run_id)[-1]["payload"]["usage"]["requests"] == 1


async def test_parameters_that_are_no_json_are_kept_as_they_are_shown(world: World) -> None:
    """NaN is null, and what lies too deep is hinted at: history is given to models as JSON."""
    deep: Any = {"lie": {1, 2}}
    for _ in range(40):
        deep = [deep]

    async def odd(turn: Turn) -> AsyncIterator[AgentEvent]:
        yield ToolStarted("look", "c-1", {"x": float("nan"), "deep": deep})
        yield ENDED
        yield Answered("Rain.")

    world.agents.scripts["assistant"] = odd
    call = await world.admitted(TEXT)
    await world.serve()
    asked = (await assert_history(world, call.thread_id))[1]
    assert isinstance(asked, AssistantSaid)
    arguments = json.loads(asked.calls[0].arguments, parse_constant=pytest.fail)
    assert arguments["x"] is None
    assert "…" in asked.calls[0].arguments


@pytest.mark.parametrize("last", [Answered("Rain."), Asked((OpenCall("look", "c-1", {}),))])
async def test_one_that_hangs_behind_its_last_word_keeps_it(
    last: AgentEvent, world: World, caplog: pytest.LogCaptureFixture
) -> None:
    """Its run ends after a grace, with the answer; the log says so."""

    async def hanging(turn: Turn) -> AsyncIterator[AgentEvent]:
        yield Thinking("…", 1)
        yield last
        await asyncio.sleep(3600)

    world.agents.scripts["assistant"] = hanging
    call = await world.admitted(TEXT)
    begun = world.clock.monotonic()
    with caplog.at_level(logging.WARNING, "dayfly.engine"):
        report = await world.engine(call)
    assert report.outcome == ("completed" if isinstance(last, Answered) else "waiting")
    assert LAST_WORD_S <= world.clock.monotonic() - begun < LAST_WORD_S + 1
    warned = [record.message for record in caplog.records if record.levelno >= logging.WARNING]
    assert warned == ["the agent went on after its last word, and is stopped"]


async def test_a_cancel_behind_the_answer_does_not_wait_for_the_grace(world: World) -> None:
    """The user is told the end at once; it is the answer, which was there."""

    async def hanging(turn: Turn) -> AsyncIterator[AgentEvent]:
        yield Answered("Rain.")
        await asyncio.sleep(3600)

    world.agents.scripts["assistant"] = hanging
    call = await world.admitted(TEXT)
    engine = world.starts(call)
    await asyncio.sleep(1)
    await world.ask("cancel", run_id=call.run_id)
    begun = world.clock.monotonic()
    assert (await engine).outcome == "completed"
    assert world.clock.monotonic() - begun < 1


async def test_one_that_ends_within_the_grace_may_still_fail(world: World) -> None:
    """What it raises behind its answer is its failure, as before the answer."""

    async def failing(turn: Turn) -> AsyncIterator[AgentEvent]:
        yield Answered("Rain.")
        await asyncio.sleep(LAST_WORD_S - 1)
        raise ValueError("no")

    world.agents.scripts["assistant"] = failing
    call = await world.admitted(TEXT)
    assert (await world.engine(call)).outcome == "failed"


async def test_a_broken_protocol_is_one_line_in_the_log(world: World, caplog: pytest.LogCaptureFixture) -> None:
    """What was wrong, what is expected, and where to read; no traceback, which would show the engine's own code."""

    async def broken(turn: Turn) -> AsyncIterator[AgentEvent]:
        yield ENDED

    world.agents.scripts["assistant"] = broken
    call = await world.admitted(TEXT)
    with caplog.at_level(logging.ERROR, "dayfly.engine"):
        await world.engine(call)
    (record,) = (one for one in caplog.records if one.levelno >= logging.ERROR)
    assert record.exc_info is None
    for part in ("had not started: 'c-1'", "without a `ToolStarted`", "dayfly/agents/sdk/protocol.py"):
        assert part in record.getMessage()
    assert "\n" not in record.getMessage()
    assert world.log(call.run_id)[-1]["payload"]["code"] == "agent_failed"
