"""What tools may have beside their result, over the whole application, as a client sees it."""

import json
from collections.abc import Callable

import pytest

from tests.live.kit.chat import Chat
from tests.live.kit.reducer import viewed

Payloads = list[tuple[str, dict[str, object]]]


async def _run(client: Chat, text: str) -> Payloads:
    accepted = await client.ask("run", agent="limiting", text=text)
    await client.end_of(accepted["run_id"])
    return [(event["type"], event["payload"]) for event in client.events(accepted["run_id"])]


@pytest.mark.parametrize(("text", "tool"), [("Wait for a minute", "wait_minute"), ("Block the thread", "block_thread")])
async def test_a_tool_over_its_time_is_given_up(chat: Callable[[], Chat], text: str, tool: str) -> None:
    """After a second and not a minute; the run goes on to its answer, and so does the next one, though a thread of
    this one may still be at work."""
    async with chat() as client:
        events = await _run(client, text)
        (done,) = [payload for kind, payload in events if kind == "tool_completed"]
        assert (done["tool_name"], done["status"]) == (tool, "error")
        assert f"The tool {tool} did not finish within 1 s." in str(done["result"])
        assert isinstance(took := done["execution_time_ms"], int)
        assert 900 < took < 10_000
        kind, end = events[-1]
        assert kind == "agent_completed"
        assert "did not finish within 1 s" in str(end["output"])
        assert (await _run(client, "Tell me a story"))[-1][0] == "agent_completed"


async def test_ten_thousand_messages_do_not_flood_the_log(client: Chat) -> None:
    """A few come, in order, and not more than four a second."""
    events = await _run(client, "Count to many")
    told = [str(payload["message"]) for kind, payload in events if kind == "tool_progress"]
    (done,) = [payload for kind, payload in events if kind == "tool_completed"]
    assert isinstance(took := done["execution_time_ms"], int)
    assert 2 <= len(told) <= 2 + took / 250
    assert told == sorted(told)
    assert done["result"] == "counted"


async def test_an_answer_that_does_not_fit_is_asked_for_again(client: Chat) -> None:
    """What was streamed of it is void; the answer behind it is the text that a client has then, and a value."""
    accepted = await client.ask("run", agent="limiting", text="Hello")
    end = (await client.end_of(accepted["run_id"]))["payload"]
    view = viewed(client.events(accepted["run_id"]))
    (retry,) = view.of("agent_retrying")
    assert (retry["payload"]["reason"], retry["payload"]["retry"]) == ("not_fitting", 1)
    assert "Hello!" in "".join(event["payload"]["text"] for event in view.of("agent_delta"))
    assert view.answer() == end["result"]
    assert json.loads(end["result"]) == end["output"]
    assert not end["output"]["said"].startswith("Hello!")
    assert end["usage"]["requests"] == 1
    history = await client.ask("history", thread_id=accepted["thread_id"])
    assert [message["text"] for message in history["messages"]] == ["Hello", end["result"]]


@pytest.mark.parametrize("approved", [True, False])
async def test_a_structured_answer_behind_an_approval(client: Chat, approved: bool) -> None:
    """The engine that goes on behind the user's word gives it, whatever the word was."""
    accepted = await client.ask("run", agent="limiting", text="Pay the bill of 12 euros")
    asked = (await client.until(lambda frame: frame["type"] == "approval_requested"))["payload"]
    assert asked["parameters"] == {"euros": 12}
    await client.ask("approve", run_id=accepted["run_id"], tool_call_id=asked["tool_call_id"], approved=approved)
    end = (await client.end_of(accepted["run_id"]))["payload"]
    kinds = [event["type"] for event in client.events(accepted["run_id"])]
    assert ("tool_executing" in kinds) is approved
    assert ("12 euros paid" in end["output"]["said"]) is approved
    assert json.loads(end["result"]) == end["output"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("This is broken", "The agent's instructions could not be made."),
        ("This is refused", "limiting has no words for attempt 1."),
    ],
)
async def test_instructions_that_fail_end_the_run_in_words(client: Chat, text: str, message: str) -> None:
    """No model is asked; what was raised stays in the log."""
    events = await _run(client, text)
    assert [kind for kind, _ in events] == ["user_message", "agent_started", "agent_error"]
    assert (events[-1][1]["code"], events[-1][1]["message"]) == ("agent_failed", message)
