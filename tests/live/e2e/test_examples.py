"""The agents of `examples/`, installed as their README says: copied into the folder of a backend that runs."""

import json
import shutil
from pathlib import Path

import pytest

from tests.live.kit.chat import Chat
from tests.live.kit.emulator import ROOT, EmulatorProcess
from tests.live.kit.steps import outline


@pytest.fixture(scope="module", autouse=True)
def _installed(swept: EmulatorProcess, application: Path) -> None:
    """The next message finds them; nothing is started anew."""
    del swept
    for agent in (ROOT / "examples/agents").glob("*.py"):
        shutil.copy(agent, application.parent / "functions/engine/agents")


async def test_a_refund_waits_for_the_user_and_is_made(client: Chat) -> None:
    """The call is shown first; when it is allowed, a fresh engine makes it and the answer says so."""
    accepted = await client.ask("run", agent="orders", text="Refund order 1042")
    asked = (await client.until(lambda frame: frame["type"] == "approval_requested"))["payload"]
    assert (asked["tool_name"], asked["parameters"]) == ("refund_order", {"number": 1042})
    assert not any(frame["type"] == "tool_executing" for frame in client.frames)
    await client.ask("approve", run_id=accepted["run_id"], tool_call_id=asked["tool_call_id"], approved=True)
    end = await client.end_of(accepted["run_id"])
    assert "39.90 euros for a kettle are paid back" in end["payload"]["result"]


async def test_nested_parameters_arrive_as_the_developers_types(client: Chat) -> None:
    """Clients are shown them as the model wrote them, and the tool reckons with dates and enums."""
    parameters = {
        "journey": {"start": "Ulm", "legs": [{"to": "Oslo", "means": "ferry", "day": "2026-05-03"}]},
        "travellers": [{"name": "Ada"}, {"name": "Ben", "age": 4}],
    }
    accepted = await client.ask("run", agent="journeys", text=f"plan_journey {json.dumps(parameters)}")
    await client.end_of(accepted["run_id"])
    events = {event["type"]: event["payload"] for event in client.events(accepted["run_id"])}
    assert events["tool_executing"]["parameters"] == parameters
    assert events["tool_completed"]["status"] == "ok"
    assert json.loads(events["tool_completed"]["result"]) == {"stops": ["Ulm", "Oslo"], "days": 1, "price": 45.0}


async def test_an_own_loop_is_watched_like_any_other(client: Chat) -> None:
    """Its steps come as the same events, in the same order."""
    accepted = await client.ask("run", agent="units", text="How far is 26.2 miles in km?")
    end = await client.end_of(accepted["run_id"])
    assert outline(client.events(accepted["run_id"])) == [
        *("user_message", "agent_started", "agent_thinking", "tool_executing", "tool_completed"),
        *("agent_thinking", "agent_delta", "agent_completed"),
    ]
    assert end["payload"]["result"] == "That is 42.16 km."
