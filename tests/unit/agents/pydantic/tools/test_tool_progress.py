"""What a running tool tells of its progress."""

import asyncio
import functools
import itertools
import threading
import time
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from dayfly.agents.pydantic.event_channel import EventChannel
from dayfly.agents.pydantic.tools.progress import PAUSE_S, CallProgress
from dayfly.agents.sdk.protocol import AgentEvent, Answered, ToolEnded, ToolProgress, ToolStarted
from dayfly.agents.sdk.tool_context import ToolCallOver, ToolContext
from dayfly.log.messages import ToolAnswered, ToolOutcome
from tests.unit.agents.support import agent_of, call, events_of, responses, turn


def shown(events: list[AgentEvent]) -> list[str]:
    return [event.message for event in events if isinstance(event, ToolProgress)]


def tool_events(events: list[AgentEvent]) -> list[type[AgentEvent]]:
    return [type(event) for event in events if isinstance(event, ToolStarted | ToolProgress | ToolEnded)]


async def test_an_async_tool_tells_how_far_it_is() -> None:
    """The event comes while the tool runs, between its start and its end."""

    async def count(context: ToolContext) -> str:
        """Counts."""
        await context.progress("1 of 2")
        await asyncio.sleep(PAUSE_S + 0.1)
        await context.progress("2 of 2")
        await asyncio.sleep(0.1)
        return "counted"

    events = await events_of(agent_of(responses((call("count"),), ("Done.",)), count))
    assert tool_events(events) == [ToolStarted, ToolProgress, ToolProgress, ToolEnded]
    assert shown(events) == ["1 of 2", "2 of 2"]


async def test_a_plain_function_tells_it_from_its_thread() -> None:
    """There is nothing to await there, and no warning that something was not."""

    def count(context: ToolContext) -> str:
        """Counts."""
        context.progress("half way")
        time.sleep(0.2)
        return "counted"

    events = await events_of(agent_of(responses((call("count"),), ("Done.",)), count))
    assert shown(events) == ["half way"]


async def test_ten_thousand_messages_are_a_few_events_and_the_newest_wins() -> None:
    """What comes within the pause is replaced by what comes later."""

    async def count(context: ToolContext) -> str:
        """Counts."""
        for number in range(10_000):
            await context.progress(f"{number}")
        await asyncio.sleep(PAUSE_S + 0.1)
        return "counted"

    events = await events_of(agent_of(responses((call("count"),), ("Done.",)), count))
    told = [int(message) for message in shown(events)]
    assert 2 <= len(told) <= 10
    assert told == sorted(told)
    assert told[-1] == 9_999


async def test_two_events_are_never_closer_than_the_pause() -> None:
    """The first comes at once, the next after the pause, however often it is told between."""
    events: EventChannel[AgentEvent] = EventChannel()
    taken: list[tuple[str, float]] = []

    async def read() -> None:
        async for event in events.take():
            assert isinstance(event, ToolProgress)
            taken.append((event.message, time.monotonic()))

    reader = asyncio.create_task(read())
    async with CallProgress("c-1", events) as progress:
        for number in range(60):
            progress.tell(str(number))
            await asyncio.sleep(0.01)
    events.close()
    await reader
    gaps = [later - earlier for (_, earlier), (_, later) in itertools.pairwise(taken)]
    assert taken[0][0] == "0"
    assert len(taken) >= 2
    assert all(gap >= PAUSE_S * 0.99 for gap in gaps)


async def test_a_slow_reader_gets_the_newest() -> None:
    """While the log is slow, messages are replaced and do not pile up."""
    events: EventChannel[AgentEvent] = EventChannel()
    async with CallProgress("c-1", events) as progress:
        reading = events.take()
        progress.tell("first")
        assert await anext(reading) == ToolProgress("c-1", "first")
        for number in range(1_000):
            progress.tell(str(number))
            await asyncio.sleep(0)
        assert await anext(reading) == ToolProgress("c-1", "999")
    await reading.aclose()  # type: ignore[attr-defined]  # an async generator is what it is


async def test_behind_the_end_it_is_refused() -> None:
    """A task that outlives its call is told so, and nothing reaches the run's events."""
    kept: list[ToolContext] = []

    async def leak(context: ToolContext) -> str:
        """Leaks its context."""
        kept.append(context)
        return "done"

    events = await events_of(agent_of(responses((call("leak"),), ("Done.",)), leak))
    with pytest.raises(ToolCallOver):
        await kept[0].progress("too late")
    assert shown(events) == []


async def test_what_is_no_text_is_an_error_of_the_tool(caplog: pytest.LogCaptureFixture) -> None:
    """It is not told."""

    async def count(context: ToolContext) -> str:
        """Counts."""
        await context.progress(3)  # type: ignore[arg-type]
        return "counted"

    events = await events_of(agent_of(responses((call("count"),), ("Done.",)), count))
    assert shown(events) == []
    assert "progress is a text, not int" in caplog.text


async def test_without_a_loop_around_it_it_leads_nowhere() -> None:
    """A tool can be called with a context that a test has made."""
    await ToolContext.of(turn(), "c-1").progress("1 of 2")
    told: list[str] = []
    ToolContext.of(turn(), "c-1", report=told.append).progress("2 of 2")
    assert told == ["2 of 2"]


async def test_cancelling_the_run_while_a_tool_tells_its_progress() -> None:
    """No task is left behind."""
    telling = asyncio.Event()

    async def count(context: ToolContext) -> str:
        """Counts."""
        while True:
            await context.progress("…")
            telling.set()
            await asyncio.sleep(0.01)

    before = asyncio.all_tasks()
    reader = asyncio.create_task(events_of(agent_of(responses((call("count"),)), count)))
    await telling.wait()
    await asyncio.sleep(0.05)
    reader.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reader
    assert asyncio.all_tasks() == before


async def steps_async(until: int) -> AsyncIterator[Any]:
    """Counts."""
    for number in range(until):
        yield f"step {number}"
        await asyncio.sleep(PAUSE_S + 0.05)
    yield {"steps": until}


def steps_plain(until: int) -> Iterator[Any]:
    """Counts."""
    for number in range(until):
        yield f"step {number}"
        time.sleep(PAUSE_S + 0.05)
    yield {"steps": until}


@pytest.mark.parametrize("tool", [steps_async, steps_plain])
async def test_a_generators_texts_are_progress_and_its_last_value_is_the_result(tool: Any) -> None:
    """Async or plain."""
    events = await events_of(agent_of(responses((call(tool.__name__, '{"until": 2}'),), ("Done.",)), tool))
    assert shown(events) == ["step 0", "step 1"]
    assert [event.answer for event in events if isinstance(event, ToolEnded)] == [
        ToolAnswered("c-1", tool.__name__, '{"steps":2}')
    ]


async def test_a_generator_that_ends_with_a_text_has_it_as_its_result() -> None:
    """It is told as progress only if the tool goes on behind it."""

    async def look(context: ToolContext) -> AsyncIterator[str]:
        """Looks."""
        assert context.idempotency_key
        yield "looking"
        await asyncio.sleep(0.05)
        yield "It rains."

    events = await events_of(agent_of(responses((call("look"),), ("Done.",)), look))
    assert shown(events) == ["looking"]
    assert [event.answer.content for event in events if isinstance(event, ToolEnded)] == ["It rains."]


async def test_a_generator_that_yields_nothing_has_no_result() -> None:
    """Which is null, as of a function that returns nothing."""

    async def nothing() -> AsyncIterator[str]:
        """Yields nothing."""
        none: tuple[str, ...] = ()
        for text in none:
            yield text

    events = await events_of(agent_of(responses((call("nothing"),), ("Done.",)), nothing))
    assert [event.answer.content for event in events if isinstance(event, ToolEnded)] == ["null"]


async def test_a_generator_that_fails_half_way_has_failed() -> None:
    """What it yielded before is no result; and it was closed."""
    closed: list[bool] = []

    async def half() -> AsyncIterator[str]:
        """Breaks."""
        try:
            yield "half"
            raise KeyError
        finally:
            closed.append(True)

    events = await events_of(agent_of(responses((call("half"),), ("Sorry.",)), half))
    ended = [event.answer for event in events if isinstance(event, ToolEnded)]
    assert ended == [ToolAnswered("c-1", "half", "The tool half failed unexpectedly.", ToolOutcome.ERROR)]
    assert closed == [True]
    assert events[-1] == Answered("Sorry.")


async def test_messages_from_several_threads_at_once() -> None:
    """None is torn, and the call ends with none on its way."""

    def crowd(context: ToolContext) -> str:
        """Tells from many threads."""

        def tell() -> None:
            for number in range(200):
                context.progress(f"{threading.get_ident()}:{number}")

        threads = [threading.Thread(target=tell) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return "told"

    events = await events_of(agent_of(responses((call("crowd"),), ("Done.",)), crowd))
    assert tool_events(events)[0] is ToolStarted
    assert tool_events(events)[-1] is ToolEnded
    assert all(":" in message for message in shown(events))


def announced(tool: Any) -> Any:
    """A decorator of a developer's own, which is a plain function whatever it decorates."""

    @functools.wraps(tool)
    def around(*args: Any, **kwargs: Any) -> Any:
        return tool(*args, **kwargs)

    return around


@pytest.mark.parametrize("tool", [steps_async, steps_plain])
async def test_a_decorated_generator_is_one_too(tool: Any) -> None:
    """Though the function that is called is none itself."""
    wanted = call(tool.__name__, '{"until": 1}')
    events = await events_of(agent_of(responses((wanted,), ("Done.",)), announced(tool)))
    assert shown(events) == ["step 0"]
    assert [event.answer.content for event in events if isinstance(event, ToolEnded)] == ['{"steps":1}']
