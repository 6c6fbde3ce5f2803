"""The agents of `examples/`, installed as their README says: copied into the folder of a backend that runs."""

import json
import shutil
import time
from pathlib import Path

import pytest

from tests.live.kit.chat import Chat
from tests.live.kit.emulator import ROOT, EmulatorProcess
from tests.live.kit.steps import outline

NOTICED_S = 1.0
"""A save is noticed some 200 ms after the last of several: sooner than anybody writes to the agent, but for a test."""


@pytest.fixture(scope="module", autouse=True)
def _installed(swept: EmulatorProcess, application: Path) -> None:
    """The next message finds them; nothing is started anew."""
    del swept
    for agent in (ROOT / "examples/agents").glob("*.py"):
        shutil.copy(agent, application.parent / "functions/engine/agents")
    time.sleep(NOTICED_S)


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


async def test_a_chart_is_told_as_it_is_drawn_and_shown_as_a_reference(client: Chat) -> None:
    """Progress comes while the tool runs, in order and not too often; of the image, no byte comes, but its name and
    size."""
    accepted = await client.ask("run", agent="reports", text="Chart the sales of tea")
    await client.end_of(accepted["run_id"])
    events = client.events(accepted["run_id"])
    kinds = [event["type"] for event in events]
    told = [event["payload"]["message"] for event in events if event["type"] == "tool_progress"]
    assert told[0] == "quarter 1 of 4"
    assert 2 <= len(told) <= 4
    assert told == sorted(told)
    assert kinds.index("tool_executing") < kinds.index("tool_progress") < kinds.index("tool_completed")
    done = next(event["payload"] for event in events if event["type"] == "tool_completed")
    assert done["status"] == "ok"
    (file,) = done["files"]
    assert (file["name"], file["media_type"], set(file)) == ("tea.png", "image/png", {"name", "media_type", "bytes"})
    assert "IDAT" not in json.dumps(events)


async def test_a_generator_tells_its_steps(client: Chat) -> None:
    """Its texts are progress, its last value the result."""
    accepted = await client.ask("run", agent="reports", text="Audit the stock of cups")
    await client.end_of(accepted["run_id"])
    payloads = [(event["type"], event["payload"]) for event in client.events(accepted["run_id"])]
    assert next(payload["message"] for kind, payload in payloads if kind == "tool_progress") == "shelf 1"
    (done,) = [payload for kind, payload in payloads if kind == "tool_completed"]
    assert json.loads(done["result"]) == {"product": "cups", "left": 13}


async def test_a_call_that_is_wrong_is_told_to_the_model(client: Chat) -> None:
    """The client sees an error, and the run goes on to its answer."""
    accepted = await client.ask("run", agent="reports", text="Chart the sales of gold")
    end = await client.end_of(accepted["run_id"])
    (done,) = [event["payload"] for event in client.events(accepted["run_id"]) if event["type"] == "tool_completed"]
    assert done["status"] == "error"
    assert "there are tea, cups" in done["result"]
    assert end["type"] == "agent_completed"


async def test_an_approval_with_wrong_arguments_is_never_asked(client: Chat) -> None:
    """Neither is the call announced as running: it ends with what is wrong, and the model goes on."""
    accepted = await client.ask("run", agent="orders", text='refund_order {"number": "none"}')
    await client.end_of(accepted["run_id"])
    events = client.events(accepted["run_id"])
    kinds = [event["type"] for event in events]
    assert "approval_requested" not in kinds
    assert "tool_executing" not in kinds
    (done,) = [event["payload"] for event in events if event["type"] == "tool_completed"]
    assert (done["tool_name"], done["status"]) == ("refund_order", "error")
    assert "number" in done["result"]


async def test_a_structured_answer_is_json(client: Chat) -> None:
    """As a value, and as the text that was streamed; the thread's next turn goes on behind it."""
    first = await client.ask("run", agent="tickets", text="My parcel is 3 days late, which is of high urgency")
    end = (await client.end_of(first["run_id"]))["payload"]
    assert (end["output"]["urgency"], end["output"]["days_waiting"], end["output"]["tags"]) == ("high", 3, [])
    deltas = [event["payload"]["text"] for event in client.events(first["run_id"]) if event["type"] == "agent_delta"]
    assert "".join(deltas) == end["result"]
    assert json.loads(end["result"])["days_waiting"] == 3
    text = "Remember that my number is 1042"
    second = await client.ask("run", agent="tickets", text=text, thread_id=first["thread_id"])
    assert (await client.end_of(second["run_id"]))["payload"]["output"]["urgency"] in {"low", "normal", "high"}
