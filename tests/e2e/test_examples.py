"""The agents of `examples/`, installed as their README says: each a file in the engine's folder of agents."""

import json
import shutil
from collections.abc import Callable, Iterator

import pytest

from tests.e2e.client import Chat, types
from tests.e2e.emulator_process import ROOT, EmulatorProcess, project, running


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmulatorProcess]:
    """The application with the examples copied in."""
    template = project(tmp_path_factory.mktemp("application"))
    for agent in (ROOT / "examples/agents").glob("*.py"):
        shutil.copy(agent, template.parent / "functions/engine/agents")
    with running(template, "--schedule-every", "1", "--parameter-overrides", "WarmUp=off") as started:
        yield started


async def test_a_refund_waits_for_the_user_and_is_made(chat: Callable[[], Chat]) -> None:
    """The call is shown first; when it is allowed, a fresh engine makes it and the answer says so."""
    async with chat() as client:
        accepted = await client.ask("run", agent="orders", text="Refund order 1042")
        asked = (await client.until(lambda frame: frame["type"] == "approval_requested"))["payload"]
        assert (asked["tool_name"], asked["parameters"]) == ("refund_order", {"number": 1042})
        assert not any(frame["type"] == "tool_executing" for frame in client.frames)
        await client.ask("approve", run_id=accepted["run_id"], tool_call_id=asked["tool_call_id"], approved=True)
        end = await client.end_of(accepted["run_id"])
        assert "39.90 euros for a kettle are paid back" in end["payload"]["result"]


async def test_nested_parameters_arrive_as_the_developers_types(chat: Callable[[], Chat]) -> None:
    """Clients are shown them as the model wrote them, and the tool reckons with dates and enums."""
    parameters = {
        "journey": {"start": "Ulm", "legs": [{"to": "Oslo", "means": "ferry", "day": "2026-05-03"}]},
        "travellers": [{"name": "Ada"}, {"name": "Ben", "age": 4}],
    }
    async with chat() as client:
        accepted = await client.ask("run", agent="journeys", text=f"plan_journey {json.dumps(parameters)}")
        await client.end_of(accepted["run_id"])
        events = {event["type"]: event["payload"] for event in client.events(accepted["run_id"])}
        assert events["tool_executing"]["parameters"] == parameters
        assert events["tool_completed"]["status"] == "ok"
        assert json.loads(events["tool_completed"]["result"]) == {"stops": ["Ulm", "Oslo"], "days": 1, "price": 45.0}


async def test_an_own_loop_is_watched_like_any_other(chat: Callable[[], Chat]) -> None:
    """Its steps come as the same events, in the same order."""
    async with chat() as client:
        accepted = await client.ask("run", agent="units", text="How far is 26.2 miles in km?")
        end = await client.end_of(accepted["run_id"])
        assert types(client.events(accepted["run_id"])) == [
            *("user_message", "agent_started", "agent_thinking", "tool_executing", "tool_completed"),
            *("agent_thinking", "agent_delta", "agent_completed"),
        ]
        assert end["payload"]["result"] == "That is 42.16 km."
