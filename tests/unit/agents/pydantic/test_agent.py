"""The narrow protocol, as pydantic-ai's loop is made to keep it."""

import asyncio
import threading
from collections.abc import AsyncIterator

import pytest
from pydantic_ai.exceptions import ModelHTTPError
from pydantic_ai.messages import ModelMessage, ToolReturnPart
from pydantic_ai.models.function import AgentInfo

from dayfly.agents.sdk.protocol import (
    AgentEvent,
    Answered,
    Delta,
    Responded,
    Retrying,
    Thinking,
    ToolEnded,
    ToolStarted,
)
from dayfly.agents.sdk.tool_context import ToolContext, ToolError
from dayfly.agents.tool_threads import running_tool_threads
from dayfly.errors import AgentFailed, ModelFailed
from dayfly.log.fold import UNANSWERED
from dayfly.log.messages import AssistantSaid, ToolAnswered, ToolCall, ToolOutcome, UserSaid
from dayfly.protocol.limits import TOOL_CALL_ID_CHARS
from tests.unit.agents.support import Piece, agent_of, call, collect, events_of, kinds, responses, run_ready_tasks, turn


async def test_an_answer_without_tools() -> None:
    """One thinking, the pieces as they came, the whole response, the answer."""
    events = await events_of(agent_of(responses(("Good ", "day."))))
    assert kinds(events) == [Thinking, Delta, Delta, Responded, Answered]
    assert [event.text for event in events if isinstance(event, Delta)] == ["Good ", "day."]
    assert isinstance(events[3], Responded)
    assert events[3].message == AssistantSaid("Good day.")
    assert events[4] == Answered("Good day.")


async def test_a_tool_call_and_its_result() -> None:
    """A tool's call is responded, started and ended in this order, and the model is given its result."""
    given: list[object] = []

    async def script(messages: list[ModelMessage], info: AgentInfo) -> AsyncIterator[Piece]:
        if len(messages) == 1:
            yield "Let me see. "
            yield call("double", '{"number": 4}')
        else:
            given.extend(part.content for part in messages[-1].parts if isinstance(part, ToolReturnPart))
            yield "It is 8."

    def double(number: int) -> int:
        """Doubles."""
        return number * 2

    events = await events_of(agent_of(script, double))
    assert kinds(events) == [Thinking, Delta, Responded, ToolStarted, ToolEnded, Thinking, Delta, Responded, Answered]
    assert isinstance(events[2], Responded)
    assert events[2].message == AssistantSaid("Let me see. ", (ToolCall("c-1", "double", '{"number":4}'),))
    assert events[3] == ToolStarted("double", "c-1", {"number": 4})
    assert isinstance(events[4], ToolEnded)
    assert events[4].answer == ToolAnswered("c-1", "double", "8")
    assert given == ["8"]
    assert [event.step for event in events if isinstance(event, Thinking)] == [1, 2]


async def test_nothing_runs_ahead_of_what_was_taken() -> None:
    """Neither a model request nor a tool begins, nor is a result given, before the event in front of it was taken."""
    happened: list[str] = []

    async def script(messages: list[ModelMessage], info: AgentInfo) -> AsyncIterator[Piece]:
        happened.append("asked" if len(messages) == 1 else "given")
        yield call("touch") if len(messages) == 1 else "Done."

    def touch() -> str:
        """Touches."""
        happened.append("ran")
        return "ok"

    seen: list[tuple[str, list[str]]] = []
    async for event in agent_of(script, touch).run(turn()):
        await run_ready_tasks()
        await asyncio.sleep(0.02)  # a tool's thread would have run by now
        seen.append((type(event).__name__, list(happened)))
    assert seen[:6] == [
        ("Thinking", []),
        ("Responded", ["asked"]),
        ("ToolStarted", ["asked"]),
        ("ToolEnded", ["asked", "ran"]),
        ("Thinking", ["asked", "ran"]),
        ("Delta", ["asked", "ran", "given"]),
    ]


async def test_calls_of_one_response_run_side_by_side() -> None:
    """Both tools are under way at once, though their events come one by one."""
    both = asyncio.Barrier(2)

    async def meet() -> str:
        """Waits for the other."""
        await both.wait()
        return "met"

    reply = (call("meet", call_id="a"), call("meet", call_id="b", place=1))
    async with asyncio.timeout(5):
        events = await events_of(agent_of(responses(reply, ("Both met.",)), meet))
    assert [event.answer.content for event in events if isinstance(event, ToolEnded)] == ["met", "met"]
    assert {event.tool_call_id for event in events if isinstance(event, ToolStarted)} == {"a", "b"}


async def test_a_tools_refusal_is_told_and_the_run_goes_on() -> None:
    """What a tool says with ToolError reaches the client and the model, marked as an error."""

    def no() -> str:
        """Refuses."""
        raise ToolError("Not on a Sunday.")

    events = await events_of(agent_of(responses((call("no"),), ("Sorry.",)), no))
    ended = [event for event in events if isinstance(event, ToolEnded)]
    assert ended[0].answer == ToolAnswered("c-1", "no", "Not on a Sunday.", ToolOutcome.ERROR)
    assert isinstance(events[-1], Answered)


async def test_an_unexpected_exception_in_a_tool_says_nothing_of_its_inside(caplog: pytest.LogCaptureFixture) -> None:
    """The client and the model learn that the tool failed; what failed stands in the log."""

    async def broken() -> str:
        """Breaks."""
        raise KeyError("hunter2")

    events = await events_of(agent_of(responses((call("broken"),), ("Sorry.",)), broken))
    ended = [event for event in events if isinstance(event, ToolEnded)]
    assert ended[0].answer.outcome is ToolOutcome.ERROR
    assert "hunter2" not in ended[0].answer.content
    assert "hunter2" in caplog.text


@pytest.mark.parametrize(
    ("wanted", "reason"),
    [(call("missing"), "missing"), (call("double", '{"number": "x"}'), "number"), (call("double", "{"), "")],
)
async def test_a_call_that_fits_no_tool_is_an_error_result(wanted: Piece, reason: str) -> None:
    """An unknown tool or arguments that do not fit end the call as an error; nothing is announced as running."""

    def double(number: int) -> int:
        """Doubles."""
        return number * 2

    events = await events_of(agent_of(responses((wanted,), ("Sorry.",)), double))
    assert kinds(events)[:4] == [Thinking, Responded, ToolEnded, Thinking]
    assert isinstance(events[2], ToolEnded)
    assert events[2].answer.outcome is ToolOutcome.ERROR
    assert reason in events[2].answer.content
    assert isinstance(events[-1], Answered)


async def test_a_tool_that_keeps_failing_ends_the_run() -> None:
    """The loop is bounded: in the end the agent has failed, after a last ended tool."""

    def no() -> str:
        """Refuses."""
        raise ToolError("No.")

    async def script(messages: list[ModelMessage], info: AgentInfo) -> AsyncIterator[Piece]:
        yield call("no", call_id=f"c-{len(messages)}")

    seen: list[AgentEvent] = []
    with pytest.raises(AgentFailed, match="The tool no kept failing"):
        await collect(agent_of(script, no).run(turn()), seen)
    assert kinds(seen).count(ToolEnded) == 4


async def test_the_model_requests_of_a_run_are_limited() -> None:
    """A model that never comes to an answer is stopped, and the error says so."""

    def more() -> str:
        """More."""
        return "more"

    async def script(messages: list[ModelMessage], info: AgentInfo) -> AsyncIterator[Piece]:
        yield call("more", call_id=f"c-{len(messages)}")

    seen: list[AgentEvent] = []
    with pytest.raises(AgentFailed, match="3 model requests"):
        await collect(agent_of(script, more, max_model_requests=3).run(turn()), seen)
    assert kinds(seen).count(Responded) == 3


async def test_a_providers_failure_is_the_models() -> None:
    """What the provider said stays in the cause; the message is safe for clients."""

    async def script(messages: list[ModelMessage], info: AgentInfo) -> AsyncIterator[Piece]:
        if messages:
            raise ModelHTTPError(503, "some-model", {"secret": "hunter2"})
        yield ""

    with pytest.raises(ModelFailed) as failure:
        await events_of(agent_of(script))
    assert "hunter2" not in str(failure.value)
    assert isinstance(failure.value.__cause__, ModelHTTPError)


async def test_an_error_the_library_does_not_know_is_the_models_too() -> None:
    """A client's own exception inside a model request is a model failure, not an agent's."""

    async def script(messages: list[ModelMessage], info: AgentInfo) -> AsyncIterator[Piece]:
        yield "Half an "
        raise ConnectionResetError("peer")

    seen: list[AgentEvent] = []
    with pytest.raises(ModelFailed, match="broke off"):
        await collect(agent_of(script).run(turn()), seen)
    assert kinds(seen) == [Thinking, *[Delta, Retrying] * 3, Delta]


async def test_closing_closes_the_models_stream_at_once() -> None:
    """`aclose` in the middle of an answer ends the model's generator and leaves no task behind."""
    closed = asyncio.Event()

    async def script(messages: list[ModelMessage], info: AgentInfo) -> AsyncIterator[Piece]:
        try:
            yield "Once "
            await asyncio.sleep(3600)
        finally:
            closed.set()

    before = asyncio.all_tasks()
    run = agent_of(script).run(turn())
    async for event in run:
        if isinstance(event, Delta):
            break
    async with asyncio.timeout(1):
        await run.aclose()
    assert closed.is_set()
    assert asyncio.all_tasks() == before


async def test_cancelling_while_the_model_is_silent() -> None:
    """A reader cancelled while it waits for the next event takes the model's stream and all tasks with it."""
    waiting, closed = asyncio.Event(), asyncio.Event()

    async def script(messages: list[ModelMessage], info: AgentInfo) -> AsyncIterator[Piece]:
        try:
            waiting.set()
            await asyncio.sleep(3600)
            yield ""
        finally:
            closed.set()

    before = asyncio.all_tasks()
    reader = asyncio.create_task(events_of(agent_of(script)))
    await waiting.wait()
    reader.cancel()
    async with asyncio.timeout(1):
        with pytest.raises(asyncio.CancelledError):
            await reader
    assert closed.is_set()
    assert asyncio.all_tasks() == before


async def test_cancelling_cancels_running_tools() -> None:
    """Every tool under way is cancelled, and none outlives the run."""
    started, stopped = asyncio.Barrier(3), []

    async def wait() -> str:
        """Waits."""
        try:
            await started.wait()
            await asyncio.sleep(3600)
        finally:
            stopped.append(True)
        return ""

    reply = (call("wait", call_id="a"), call("wait", call_id="b", place=1))
    before = asyncio.all_tasks()
    reader = asyncio.create_task(events_of(agent_of(responses(reply), wait)))
    await started.wait()
    reader.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reader
    assert stopped == [True, True]
    assert asyncio.all_tasks() == before


async def test_cancelling_leaves_a_blocked_tool_to_its_thread() -> None:
    """A plain function that blocks holds up neither the cancellation nor its naming."""
    running, release = threading.Event(), threading.Event()

    def block() -> str:
        """Blocks."""
        running.set()
        release.wait(30)
        return ""

    reader = asyncio.create_task(events_of(agent_of(responses((call("block"),)), block)))
    assert await asyncio.to_thread(running.wait, 5)
    reader.cancel()
    async with asyncio.timeout(1):
        with pytest.raises(asyncio.CancelledError):
            await reader
    assert running_tool_threads() == ("block",)
    release.set()


async def test_history_comes_before_the_users_words() -> None:
    """The model sees the thread's earlier messages, an open call answered for, then what the user says now."""
    seen: list[ModelMessage] = []

    async def script(messages: list[ModelMessage], info: AgentInfo) -> AsyncIterator[Piece]:
        seen.extend(messages)
        yield "Yes."

    history = (UserSaid("Add."), AssistantSaid("", (ToolCall("c-9", "add", "{}"),)))
    await events_of(agent_of(script), turn("And now?", history=history))
    contents = [getattr(part, "content", part) for message in seen for part in message.parts]
    assert contents[0] == "Add."
    assert contents[-2:] == [UNANSWERED, "And now?"]


async def test_call_ids_that_come_again_are_kept_apart() -> None:
    """A server that numbers the calls of each response from zero does not confuse results or idempotency keys."""
    keys: list[str] = []

    async def touch(context: ToolContext) -> str:
        """Touches."""
        keys.append(context.idempotency_key)
        return "ok"

    history = (AssistantSaid("", (ToolCall("call_0", "touch", "{}"),)), ToolAnswered("call_0", "touch", "ok"))
    same = (call("touch", call_id="call_0"), call("touch", call_id="call_0", place=1))
    agent = agent_of(responses(same, (call("touch", call_id="call_0"),), ("Done.",)), touch)
    events = await events_of(agent, turn(history=history))
    assert len({"r-1:call_0", *keys}) == 4
    started = [event.tool_call_id for event in events if isinstance(event, ToolStarted)]
    asked = [one.call_id for event in events if isinstance(event, Responded) for one in event.message.calls]
    assert sorted(started) == sorted(asked)


@pytest.mark.parametrize("call_id", ["x" * 257, "x" * 200_000, "c\udc80"])
async def test_a_call_id_that_does_not_fit_is_replaced_everywhere(call_id: str) -> None:
    """The tool's idempotency key is made of the same id as the journal, so that a later attempt makes the same key."""
    keys: list[str] = []

    async def touch(context: ToolContext) -> str:
        """Touches."""
        keys.append(context.idempotency_key)
        return "ok"

    agent = agent_of(responses((call("touch", call_id=call_id),), ("Done.",)), touch)
    events = await events_of(agent)
    (asked,) = [one.call_id for event in events if isinstance(event, Responded) for one in event.message.calls]
    assert len(asked) <= TOOL_CALL_ID_CHARS
    assert keys == [f"r-1:{asked}"]
    assert [event.tool_call_id for event in events if isinstance(event, ToolStarted)] == [asked]
    assert [event.answer.call_id for event in events if isinstance(event, ToolEnded)] == [asked]
    assert isinstance(events[-1], Answered)


async def test_ids_that_come_again_at_the_longest_that_fits_are_kept_apart() -> None:
    """What is put behind an id makes it no longer than it may be."""

    async def touch() -> str:
        """Touches."""
        return "ok"

    longest = "x" * TOOL_CALL_ID_CHARS
    same = (call("touch", call_id=longest), call("touch", call_id=longest, place=1))
    events = await events_of(agent_of(responses(same, ("Done.",)), touch))
    started = [event.tool_call_id for event in events if isinstance(event, ToolStarted)]
    assert len(set(started)) == 2
    assert all(len(one) <= TOOL_CALL_ID_CHARS for one in started)


async def test_a_cancellation_inside_a_tool_is_the_tools_own_failure() -> None:
    """Nobody cancelled the run, so the run goes on."""

    async def confused() -> str:
        """Waits for something that was cancelled."""
        future = asyncio.get_running_loop().create_future()
        future.cancel()
        await future
        return ""

    events = await events_of(agent_of(responses((call("confused"),), ("Sorry.",)), confused))
    assert next(event for event in events if isinstance(event, ToolEnded)).answer.outcome is ToolOutcome.ERROR
    assert isinstance(events[-1], Answered)


async def test_half_a_surrogate_pair_does_not_get_out() -> None:
    """Neither from the model's text nor from a tool's result."""

    def half() -> str:
        """Returns half a character."""
        return "\ud83d"

    events = await events_of(agent_of(responses((call("half"),), ("\udc4d done",)), half))
    assert next(event for event in events if isinstance(event, ToolEnded)).answer.content == "\ufffd"
    assert events[-3] == Delta("\ufffd done")
    assert isinstance(events[-2], Responded)
    assert events[-2].message == AssistantSaid("\ufffd done")
