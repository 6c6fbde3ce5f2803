"""What an agent of a developer's own may yield, and what ends its run."""

import asyncio
import logging
from collections.abc import AsyncIterator
from typing import Any

import pytest

from dayfly.agents.sdk.conduct import AgentBrokeProtocol, Conduct
from dayfly.agents.sdk.protocol import (
    AgentEvent,
    Answered,
    Asked,
    Delta,
    OpenCall,
    Responded,
    Thinking,
    ToolEnded,
    ToolStarted,
    Turn,
)
from dayfly.log.event_payloads import MOST_COUNTED, MOST_FILES
from dayfly.log.messages import AssistantSaid, Message, ToolAnswered, ToolCall, ToolFile, ToolOutcome
from dayfly.log.redaction import SHOWN_DEPTH
from dayfly.protocol.limits import TOOL_CALL_ID_CHARS
from tests.fakes.agents import Programme, Round
from tests.fakes.world import World, assert_ended_once

ANY: Any = None


def started(call_id: Any = "c-1", name: Any = "pay", parameters: Any = ANY) -> ToolStarted:
    return ToolStarted(name, call_id, {} if parameters is ANY else parameters)


def ended(call_id: Any = "c-1", outcome: Any = ToolOutcome.OK, content: Any = "paid", took_ms: Any = 1) -> ToolEnded:
    return ToolEnded(ToolAnswered(call_id, "pay", content, outcome), took_ms)


FILE = ToolFile("chart.png", "image/png", b"x")


def filed(*files: Any) -> ToolEnded:
    return ToolEnded(ToolAnswered("c-1", "pay", "paid", files=files), 1)


def asked(*call_ids: Any) -> Asked:
    return Asked(tuple(OpenCall("pay", call_id, {}) for call_id in call_ids))


def responded(*call_ids: Any) -> Responded:
    return Responded(AssistantSaid("", tuple(ToolCall(call_id, "pay", "{}") for call_id in call_ids)))


def nested(levels: int) -> Any:
    """Lists in each other, so many of them."""
    inner: list[Any] = []
    for _ in range(levels - 1):
        inner = [inner]
    return inner


DONE = Answered("Done.")
DENIED = ToolOutcome.DENIED

LEGAL: dict[str, tuple[AgentEvent, ...]] = {
    "an answer alone": (DONE,),
    "a whole round": (Thinking("…", 1), Delta("So."), responded("c-1"), started(), ended(), DONE),
    "tools side by side": (responded("c-1", "c-2"), started("c-1"), started("c-2"), ended("c-2"), ended("c-1"), DONE),
    "a tool without a response": (started(), ended(), DONE),
    "a denied call": (responded("c-1"), ended(outcome=DENIED), DONE),
    "a call that fails": (started(), ended(outcome=ToolOutcome.ERROR), DONE),
    "a call that cannot be carried out": (responded("c-1"), ended(outcome=ToolOutcome.ERROR), DONE),
    "a question": (responded("c-1", "c-2"), started("c-1"), ended("c-1"), asked("c-2")),
    "several questions": (asked("c-1", "c-2"),),
    "a response between two tools": (
        started("c-1"),
        ended("c-1"),
        responded("c-2"),
        started("c-2"),
        ended("c-2"),
        DONE,
    ),
    "a list of calls": (Responded(AssistantSaid("", [ToolCall("c-1", "pay", "{}")])), DONE),  # type: ignore[arg-type]
    "nested parameters": (started(parameters={"a": [1, 2.5, None, True, {"b": "c"}]}), ended(), DONE),
    "the highest counts": (
        Thinking("…", MOST_COUNTED),
        Responded(AssistantSaid(""), MOST_COUNTED, MOST_COUNTED),
        started(),
        ended(took_ms=MOST_COUNTED),
        DONE,
    ),
    "nothing said": (Delta(""), Answered("")),
    "a result with files": (started(), filed(*[FILE] * MOST_FILES), DONE),
    "a structured answer": (Answered("{}", output={"a": [1, 2.5, None, True, {"b": "c"}]}),),
    "a structured answer as deep as may be": (Answered("", output={"a": nested(SHOWN_DEPTH - 1)}),),
}

ILLEGAL: dict[str, tuple[tuple[Any, ...], str]] = {
    "an answer twice": ((DONE, DONE), "went on after its answer"),
    "text behind the answer": ((DONE, Delta("And…")), "went on after its answer"),
    "a question behind the answer": ((DONE, asked("c-1")), "went on after its answer"),
    "an answer behind the question": ((asked("c-1"), DONE), "went on after its answer"),
    "a question about nothing": ((asked(),), "approval of no tool call"),
    "one call asked about twice": ((asked("c-1", "c-1"),), "approval of one tool call twice"),
    "a question about what has ended": ((started(), ended(), asked("c-1")), "has ended: 'c-1'"),
    "a question while a tool runs": (
        (started(), asked("c-2")),
        "asked its user while a tool call had not ended: 'c-1'",
    ),
    "a response while a tool runs": (
        (started("c-1"), responded("c-2"), ended("c-1"), started("c-2"), ended("c-2"), DONE),
        "told a response while a tool call had not ended: 'c-1'",
    ),
    "an answer while a tool runs": ((started(), DONE), "answered while a tool call had not ended: 'c-1'"),
    "a result without a start": ((responded("c-1"), ended()), "had not started: 'c-1'"),
    "a result twice": ((started(), ended(), ended()), "ended a tool call twice: 'c-1'"),
    "a denial twice": ((ended(outcome=DENIED), ended(outcome=DENIED)), "ended a tool call twice: 'c-1'"),
    "a start twice": ((started(), started()), "started a tool call twice: 'c-1'"),
    "a start behind the result": ((started(), ended(), started()), "started a tool call twice: 'c-1'"),
    "a call asked for twice": ((responded("c-1"), responded("c-1")), "asked twice"),
    "a call twice in one response": ((responded("c-1", "c-1"),), "asked twice"),
    "no outcome": ((started(), ended(outcome=ToolOutcome.UNANSWERED)), "neither ok, error, retry nor denied"),
    "an outcome of its own": ((started(), ended(outcome="great")), "neither ok, error, retry nor denied"),
    "no event": ((5,), "no event: int"),
    "nothing for an event": ((None,), "no event: NoneType"),
    "no text": ((Delta(ANY),), "NoneType as Delta.text, not str"),
    "bytes for a text": ((Delta(b"x"),), "bytes as Delta.text"),  # type: ignore[arg-type]
    "no answer in the answer": ((Answered(ANY),), "NoneType as Answered.text"),
    "an answer that is no JSON": ((Answered("", output={"a": {1}}),), "set in Answered.output"),  # type: ignore[dict-item]
    "more files than an event names": ((started(), filed(*[FILE] * (MOST_FILES + 1))), "5 files with a result"),
    "a file that is none": ((started(), filed("chart.png")), "str as one of ToolAnswered.files"),
    "a file without a name": ((started(), filed(ToolFile("", "image/png", b"x"))), "a file that is none"),
    "an answer that is no object": ((Answered("", output=["a"]),), "list as Answered.output, not dict"),  # type: ignore[arg-type]
    "an answer with a NaN": ((Answered("", output={"a": float("nan")}),), "Answered.output that JSON can not hold"),
    "an answer with a number for a name": ((Answered("", output={1: 2}),), "int as a name in Answered.output"),  # type: ignore[dict-item]
    "an answer that nests too deep": (
        (Answered("", output={"a": nested(SHOWN_DEPTH)}),),
        "nests deeper than 32 levels",
    ),
    "no reasoning": ((Thinking(ANY, 1),), "NoneType as Thinking.reasoning"),
    "step zero": ((Thinking("…", 0),), "from 1 to 1000000000000 as Thinking.step"),
    "half a step": ((Thinking("…", 1.5),), "Thinking.step"),  # type: ignore[arg-type]
    "more steps than are counted": ((Thinking("…", MOST_COUNTED + 1),), "Thinking.step"),
    "more tokens than are counted": ((Responded(AssistantSaid(""), 10**5000),), "Responded.input_tokens"),
    "more time than is counted": ((started(), ended(took_ms=MOST_COUNTED + 1)), "ToolEnded.execution_time_ms"),
    "no message": ((Responded(ANY),), "NoneType as Responded.message"),
    "a text for a message": ((Responded("Hi"),), "str as Responded.message"),  # type: ignore[arg-type]
    "tokens below none": ((Responded(AssistantSaid(""), -1),), "Responded.input_tokens"),
    "half a token": ((Responded(AssistantSaid(""), 0, 0.5),), "Responded.output_tokens"),  # type: ignore[arg-type]
    "no calls": ((Responded(AssistantSaid("", ANY)),), "NoneType as AssistantSaid.calls"),
    "no call": ((Responded(AssistantSaid("", ("c-1",))),), "str as one of AssistantSaid.calls"),  # type: ignore[arg-type]
    "arguments as a dict": ((Responded(AssistantSaid("", (ToolCall("c", "t", {}),))),), "dict as ToolCall.arguments"),  # type: ignore[arg-type]
    "a call without an id": ((responded(""),), "no ToolCall.call_id"),
    "a start without an id": ((started(""),), "no ToolStarted.tool_call_id"),
    "a number for an id": ((started(7),), "int as ToolStarted.tool_call_id"),
    "a start without a name": ((started(name=ANY),), "NoneType as ToolStarted.tool_name"),
    "parameters as a text": ((started(parameters="{}"),), "str as ToolStarted.parameters"),
    "parameters no JSON holds": ((started(parameters={"a": {1, 2}}),), "set in ToolStarted.parameters"),
    "a number for a parameter's name": ((started(parameters={"a": [{1: 2}]}),), "int as a name in ToolStarted"),
    "no result": ((started(), ended(content=ANY)), "NoneType as ToolAnswered.content"),
    "no time": ((started(), ended(took_ms=ANY)), "ToolEnded.execution_time_ms"),
    "a time below none": ((started(), ended(took_ms=-1)), "ToolEnded.execution_time_ms"),
    "no questions": ((Asked(ANY),), "NoneType as Asked.calls"),
    "no open call": ((Asked(("c-1",)),), "str as one of Asked.calls"),  # type: ignore[arg-type]
    "an open call without an id": ((asked(""),), "no OpenCall.tool_call_id"),
    "a question without parameters": ((Asked((OpenCall("t", "c", ANY),)),), "NoneType as OpenCall.parameters"),
}


@pytest.mark.parametrize("name", LEGAL)
def test_what_the_protocol_has_is_taken(name: str) -> None:
    """And given on as it is."""
    conduct = Conduct()
    for event in LEGAL[name]:
        taken = conduct.taken(event)
        assert type(taken) is type(event)
        if name != "a list of calls":
            assert taken == event


@pytest.mark.parametrize("name", ILLEGAL)
async def test_what_the_protocol_has_not_ends_the_run(
    name: str, world: World, caplog: pytest.LogCaptureFixture
) -> None:
    """With one `agent_error`, whose code clients know; the log says to the developer what was wrong."""
    events, reason = ILLEGAL[name]

    async def odd(turn: Turn) -> AsyncIterator[AgentEvent]:
        for event in events:
            yield event

    world.agents.scripts["assistant"] = odd
    call = await world.admitted()
    with caplog.at_level(logging.ERROR, "dayfly.engine"):
        assert (await world.engine(call)).outcome == "failed"
    assert assert_ended_once(world, call.run_id) == "agent_error"
    payload = world.log(call.run_id)[-1]["payload"]
    assert (payload["code"], payload["retryable"]) == ("agent_failed", False)
    assert reason in payload["message"]
    assert reason in caplog.text


def test_a_call_that_has_ended_in_an_earlier_attempt_is_over() -> None:
    """A tool that completed never runs again; one that was begun alone may."""
    resumed: tuple[Message, ...] = (
        AssistantSaid("", (ToolCall("c-1", "pay", "{}"), ToolCall("c-2", "pay", "{}"))),
        ToolAnswered("c-1", "pay", "paid"),
    )
    for illegal in (started("c-1"), ended("c-1"), asked("c-1"), responded("c-2")):
        with pytest.raises(AgentBrokeProtocol):
            Conduct(resumed).taken(illegal)
    conduct = Conduct(resumed)
    for legal in (started("c-2"), ended("c-2"), responded("c-3"), DONE):
        conduct.taken(legal)


@pytest.mark.parametrize("approved", [True, False])
@pytest.mark.parametrize("again", [False, True])
async def test_a_call_is_decided_on_once(world: World, *, approved: bool, again: bool) -> None:
    """An agent that asks again for what its user has decided has failed: the second answer would do nothing. One that
    keeps to the first may ask about another call."""
    results = (started(), ended()) if approved else (ended(outcome=DENIED),)
    second = asked("c-1", "c-2") if again else asked("c-2")

    async def forgetful(turn: Turn) -> AsyncIterator[AgentEvent]:
        if not turn.resumed:
            yield responded("c-1", "c-2")
            yield asked("c-1")
            return
        for event in () if again else results:
            yield event
        yield second

    world.agents.scripts["assistant"] = forgetful
    call = await world.admitted()
    assert [report.outcome for report in await world.serve()] == ["waiting"]
    await world.approve(call.run_id, "c-1", approved=approved)
    assert [report.outcome for report in await world.serve()] == ["failed" if again else "waiting"]
    if again:
        payload = world.log(call.run_id)[-1]["payload"]
        assert payload["code"] == "agent_failed"
        assert "its user has decided on: 'c-1'" in payload["message"]
        assert assert_ended_once(world, call.run_id) == "agent_error"
    else:
        assert world.run(call.run_id).pending == ("c-2",)


def test_ids_that_do_not_fit_are_replaced_alike() -> None:
    """In a response, a start, a result and a question: the call stays one."""
    long = "x" * 200_000
    conduct = Conduct()
    first, begun, done = (conduct.taken(event) for event in (responded(long), started(long), ended(long)))
    question = Conduct().taken(asked(long))
    assert isinstance(first, Responded)
    assert isinstance(begun, ToolStarted)
    assert isinstance(done, ToolEnded)
    assert isinstance(question, Asked)
    ids = {first.message.calls[0].call_id, begun.tool_call_id, done.answer.call_id, question.calls[0].tool_call_id}
    (fitting,) = ids
    assert len(fitting) <= TOOL_CALL_ID_CHARS


def test_an_errors_message_names_no_more_of_an_id_than_people_read() -> None:
    """Though a model may invent a longer one."""
    with pytest.raises(AgentBrokeProtocol) as broken:
        Conduct().taken(ended("x" * TOOL_CALL_ID_CHARS))
    assert len(str(broken.value)) < 200


async def test_an_agent_that_gives_no_iterator(world: World) -> None:
    """A `run` without a `yield` is a coroutine, a common slip: the run ends, and the log says what it gave."""

    async def no_yield(turn: Turn) -> Answered:
        return DONE

    for run, given in ((no_yield, "coroutine"), (lambda turn: [DONE], "list"), (lambda turn: None, "NoneType")):
        world.agents.scripts["assistant"] = run  # type: ignore[assignment]
        call = await world.admitted()
        assert (await world.engine(call)).outcome == "failed"
        assert assert_ended_once(world, call.run_id) == "agent_error"
        payload = world.log(call.run_id)[-1]["payload"]
        assert payload["code"] == "agent_failed"
        assert given in payload["message"]


async def test_an_agent_that_lets_a_cancellation_through_has_failed(world: World) -> None:
    """What it waited for was cancelled, and not the agent: another engine would meet the same."""

    async def confused(turn: Turn) -> AsyncIterator[AgentEvent]:
        yield Thinking("…", 1)
        future = asyncio.get_running_loop().create_future()
        future.cancel()
        await future

    world.agents.scripts["assistant"] = confused
    call = await world.admitted()
    assert (await world.engine(call)).outcome == "failed"
    assert assert_ended_once(world, call.run_id) == "agent_error"
    assert world.log(call.run_id)[-1]["payload"]["code"] == "agent_failed"


async def test_so_has_one_whose_beginning_was_cancelled(world: World) -> None:
    """`run` need not be a generator: it may do something, and meet a cancellation, before there is an iterator."""

    def confused(turn: Turn) -> AsyncIterator[AgentEvent]:
        raise asyncio.CancelledError

    world.agents.scripts["assistant"] = confused
    call = await world.admitted()
    assert (await world.engine(call)).outcome == "failed"
    assert assert_ended_once(world, call.run_id) == "agent_error"
    assert world.log(call.run_id)[-1]["payload"]["code"] == "agent_failed"


async def test_an_agent_that_is_cancelled_is_no_failure(world: World) -> None:
    """The user has ended its run."""
    world.agents.scripts["assistant"] = Programme(Round("One.", think_s=100))
    call = await world.admitted()
    engine = world.starts(call)
    await asyncio.sleep(2)
    await world.ask("cancel", run_id=call.run_id)
    assert (await engine).outcome == "cancelled"
    assert assert_ended_once(world, call.run_id) == "agent_cancelled"
