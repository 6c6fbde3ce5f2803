"""The page's own function over a run's events, run by Node over logs of real runs."""

import json
import re
import subprocess
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

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


CASES = [
    (lost_in_words, "Let me see. Well, this is so.", {"c-1": "ok"}, "agent_completed"),
    (lost_in_a_tool, "", {"c-1": "cut"}, "agent_error"),
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
