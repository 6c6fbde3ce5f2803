"""Engines die while a model reasons, and while its request is about to be made again: nothing of that is left over."""

import json
from collections.abc import Callable

import pytest

from tests.live.agents.pondering import ANSWER, PIECES
from tests.live.kit.chat import Chat
from tests.live.kit.control import ENGINE, Control
from tests.live.kit.reducer import viewed
from tests.live.kit.steps import accepted, resumes, whole

WHOLE = ["".join(f"{name}.{number} " for number in range(PIECES)) for name in ("one", "two")]


@pytest.mark.parametrize(
    ("program", "sign"),
    [
        pytest.param("seconds=1", "one.3", id="in its reasoning"),
        pytest.param("retries=1 seconds=3", "agent_retrying", id="before a retry"),
        pytest.param("retries=1 seconds=1", "one.3", id="after a retry"),
        pytest.param("seconds=1", "Let me count.", id="behind its reasoning"),
        pytest.param("seconds=1", "2 of 3", id="in a tool that tells how far it is"),
    ],
)
async def test_an_engine_killed_while_its_model_reasons(
    client: Chat, chat: Callable[[], Chat], faults: Control, program: str, sign: str
) -> None:
    """A fresh engine makes the request anew; of the answer and the reasoning each device holds what is valid, once: one
    that saw it all, one that joined before the death, and one that attaches when all is over."""
    async with chat() as second:
        run = await accepted(client, program, agent="pondering")
        await second.ask("attach", thread_id=run["thread_id"], after={run["run_id"]: 0})
        await client.until(lambda frame: sign in json.dumps(frame))
        assert (await faults.inject("kill_environments", function=ENGINE))["killed"] >= 1
        events = await whole(client, run)
        assert await whole(second, run) == events
    async with chat() as third:
        await third.ask("attach", thread_id=run["thread_id"], after={run["run_id"]: 0})
        assert await whole(third, run) == events
    assert resumes(events) == ["engine_lost"]
    view = viewed(events)
    assert view.reasoning() == WHOLE
    assert view.said() == f"Let me count.{ANSWER}"
    assert view.progress() == {}
    assert events[-1]["payload"]["result"] == ANSWER
