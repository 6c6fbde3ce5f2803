"""The page's own function over a run's events, run by Node over logs of real runs."""

import asyncio
import json
import re
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

from dayfly.agents.sdk import (
    AgentEvent,
    Answered,
    AssistantSaid,
    Delta,
    Finish,
    ReasoningDelta,
    Responded,
    Retrying,
    Thinking,
    ToolAnswered,
    ToolCall,
    ToolEnded,
    ToolProgress,
    ToolStarted,
    Turn,
)
from scripts.protocol_docs.page import protocol_page
from tests.fakes.agents import Programme, Round, asking
from tests.fakes.sockets import JsonObject
from tests.fakes.world import World

(VIEW,) = [block for block in re.findall(r"```js\n(.*?)```", protocol_page(), re.DOTALL) if "function view" in block]


def view(events: list[JsonObject]) -> Any:
    """What the page's function makes of the events."""
    program = f"{VIEW}\nconsole.log(JSON.stringify(view({json.dumps(events)})));"
    done = subprocess.run(["node", "-e", program], capture_output=True, text=True, check=True, timeout=30)
    return json.loads(done.stdout)


async def lost_in_words(world: World) -> str:
    """A run whose engine was lost in the middle of its answer, and that another one ended."""
    call = await world.killed(Programme(Round("Let me see. ", calls=("c-1",)), Round("Well, this is so.", think_s=5)))
    await world.notice(call)
    await world.serve()
    return call.run_id


async def lost_in_a_tool(world: World) -> str:
    """A run whose engine was lost while a tool ran that may not run twice."""
    call = await world.killed(Programme(Round(calls=("c-1",), tool_s=5), Round("Done.")))
    await world.notice(call)
    await world.serve()
    return call.run_id


async def open_question(world: World) -> str:
    """A run that waits for its user."""
    world.agents.scripts["assistant"] = asking("c-1", "c-2")
    call = await world.admitted()
    await world.serve()
    return call.run_id


async def answered(world: World) -> str:
    """A run whose user has answered, and that no engine has taken yet."""
    run = await open_question(world)
    await world.approve(run, "c-1")
    await world.approve(run, "c-2", approved=False)
    return run


async def carried_out(world: World) -> str:
    """A run that has done what its user said."""
    run = await answered(world)
    await world.serve()
    return run


async def cancelled(world: World) -> str:
    """A run that was cancelled while it waited for its user."""
    run = await open_question(world)
    await world.ask("cancel", run_id=run)
    return run


async def pondered(world: World) -> str:
    """A run whose model reasons, and whose requests fail at first, and are made again; its answer was cut off."""

    async def pondering(turn: Turn) -> AsyncIterator[AgentEvent]:
        call = ToolCall("c-1", "count", "{}")
        yield Thinking("Counting.", 1)
        yield ReasoningDelta("I have to count. ")
        yield Delta("Let me see. ")
        yield Responded(AssistantSaid("Let me see. ", (call,)))
        yield ToolStarted("count", "c-1", {})
        yield ToolProgress("c-1", "1 of 2")
        yield ToolEnded(ToolAnswered("c-1", "count", "2"), 1)
        yield Thinking("Telling.", 2)
        for retry in (1, 2):
            yield ReasoningDelta("void")
            yield Delta("void")
            yield Retrying("throttled", retry, 0.0)
        yield ReasoningDelta("It is two.")
        yield Delta("There are t")
        yield Responded(AssistantSaid("There are t", finish=Finish.LENGTH))
        yield Answered("There are t", Finish.LENGTH)

    world.agents.scripts["assistant"] = pondering
    call = await world.admitted()
    await world.serve()
    return call.run_id


async def counting(world: World) -> str:
    """A run whose tool has told how far it is, and runs."""

    async def stuck(turn: Turn) -> AsyncIterator[AgentEvent]:
        yield Responded(AssistantSaid("", (ToolCall("c-1", "count", "{}"),)))
        yield ToolStarted("count", "c-1", {})
        yield ToolProgress("c-1", "1 of 3")
        yield ToolProgress("c-1", "2 of 3")
        await asyncio.sleep(3600)

    world.agents.scripts["assistant"] = stuck
    call = await world.admitted()
    world.starts(call)
    await asyncio.sleep(5)
    return call.run_id


CASES = [
    (lost_in_words, "Let me see. Well, this is so.", {"c-1": "ok"}, "agent_completed"),
    (lost_in_a_tool, "", {"c-1": "cut"}, "agent_error"),
    (pondered, "Let me see. There are t", {"c-1": "ok"}, "agent_completed"),
    (counting, "", {"c-1": "executing"}, None),
    (open_question, "", {"c-1": "open", "c-2": "open"}, None),
    (answered, "", {"c-1": "answered", "c-2": "answered"}, None),
    (carried_out, "It is done.", {"c-1": "ok", "c-2": "denied"}, "agent_completed"),
    (cancelled, "", {"c-1": "closed", "c-2": "closed"}, "agent_cancelled"),
]


@pytest.mark.parametrize(("lived", "text", "calls", "end"), CASES, ids=[each[0].__name__ for each in CASES])
async def test_the_view_is_what_has_happened(
    world: World, lived: Callable[[World], Awaitable[str]], text: str, calls: dict[str, str], end: str | None
) -> None:
    """Text without what is void, each call in its state, and how the run ended; the same live as from the log."""
    run = await lived(world)
    seen = {event["seq"]: event for event in world.sockets.events("a1") if event["run_id"] == run}
    shown = view([seen[seq] for seq in sorted(seen)])
    assert (shown["text"], shown["end"]) == (text, end)
    assert {call: each["state"] for call, each in shown["calls"].items()} == calls
    assert list(seen.values()) == world.log(run)


async def test_reasoning_is_apart_and_the_answer_says_how_it_ended(world: World) -> None:
    """What failed is in neither; the answer was cut off."""
    shown = view(world.log(await pondered(world)))
    assert (shown["reasoning"], shown["finish"]) == ("I have to count. It is two.", "length")


async def test_a_running_call_says_how_far_it_is(world: World) -> None:
    """The last that it said; nothing when it has completed."""
    assert view(world.log(await counting(world)))["calls"]["c-1"]["progress"] == "2 of 3"
    assert "progress" not in view(world.log(await pondered(world)))["calls"]["c-1"]
