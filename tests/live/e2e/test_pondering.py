"""A model that reasons, a request that is made again, a tool that tells how far it is, and an answer that is cut off:
as a client that knows the protocol alone is told of them."""

from collections.abc import Callable

import pytest

from tests.live.agents.pondering import ANSWER, PIECES, REST
from tests.live.kit import verdict
from tests.live.kit.chat import Chat
from tests.live.kit.reducer import ThreadView, viewed
from tests.live.kit.steps import accepted, kinds, outline, whole

FIRST = "".join(f"one.{number} " for number in range(PIECES))
SECOND = "".join(f"two.{number} " for number in range(PIECES))


async def test_everything_is_told_in_its_order(client: Chat) -> None:
    """Each thing has an event of its own, in the order in which it happened; what failed is void, the rest is whole."""
    run = await accepted(client, "retries=1 finish=length", agent="pondering")
    events = await whole(client, run)
    assert outline(events) == [
        "user_message",
        "agent_started",
        "agent_thinking",
        "agent_reasoning",
        "agent_delta",
        "agent_retrying",
        "agent_reasoning",
        "agent_delta",
        "tool_executing",
        "tool_progress",
        "tool_completed",
        "agent_thinking",
        "agent_reasoning",
        "agent_delta",
        "agent_completed",
    ]
    view = viewed(events)
    assert view.reasoning() == [FIRST, SECOND]
    assert (view.said(), view.answer()) == (f"Let me count.{ANSWER}", ANSWER)


async def test_the_payloads_are_as_the_protocol_says(client: Chat) -> None:
    """Reasons, counts, waits, messages and the ending, field by field."""
    run = await accepted(client, "retries=2 seconds=0.2 finish=filtered", agent="pondering")
    events = await whole(client, run)
    payloads = {kind: [event["payload"] for event in events if event["type"] == kind] for kind in kinds(events)}
    assert payloads["agent_retrying"] == [
        {"reason": "throttled", "retry": 1, "delay_ms": 200, "discard_after": 1},
        {"reason": "cut_off", "retry": 2, "delay_ms": 200, "discard_after": 1},
    ]
    assert payloads["tool_progress"] == [
        {"tool_name": "count", "tool_call_id": "count-1", "message": f"{number} of 3"} for number in (1, 2, 3)
    ]
    assert set("".join(payload["text"] for payload in payloads["agent_reasoning"])) >= set("one.0 two.9")
    assert all(payload.keys() == {"text"} for payload in payloads["agent_reasoning"])
    (completed,) = payloads["agent_completed"]
    assert (completed["result"], completed["finish"], completed["truncated"]) == (ANSWER, "filtered", False)


@pytest.mark.parametrize("finish", ["complete", "length", "context_window", "filtered", "refused", "other"])
async def test_the_history_says_how_an_answer_ended(client: Chat, finish: str) -> None:
    """An answer that is not whole says so in the history as in its run's end; no reasoning stands there."""
    run = await accepted(client, f"finish={finish}", agent="pondering")
    events = await whole(client, run)
    page = await client.ask("history", thread_id=run["thread_id"])
    assert verdict.of_history(_thread(run["thread_id"], events), page["messages"]) == []
    assert [message["text"] for message in page["messages"][1:]] == ["Let me count.", ANSWER]
    assert [message.get("finish") for message in page["messages"]] == [
        None,
        None,
        None if finish == "complete" else finish,
    ]


async def test_a_cut_answer_is_gone_on_with(client: Chat) -> None:
    """A further message in the thread has the model go on behind what it had said."""
    run = await accepted(client, "finish=length", agent="pondering")
    await whole(client, run)
    more = await accepted(client, "Go on exactly where you stopped.", agent="pondering", thread_id=run["thread_id"])
    assert (await whole(client, more))[-1]["payload"]["result"] == REST


async def test_whoever_attaches_later_is_told_the_same(client: Chat, chat: Callable[[], Chat]) -> None:
    """A device that joins in mid-reasoning, and one that comes when all is over, hold what the first was sent."""
    run = await accepted(client, "retries=1 seconds=0.3 finish=length", agent="pondering")
    await client.until(lambda frame: frame["type"] == "agent_reasoning")
    async with chat() as second:
        await second.ask("attach", thread_id=run["thread_id"], after={run["run_id"]: 0})
        joined = await whole(second, run)
    events = await whole(client, run)
    async with chat() as third:
        await third.ask("attach", thread_id=run["thread_id"], after={run["run_id"]: 0})
        assert await whole(third, run) == joined == events


def _thread(thread_id: str, events: list[dict[str, object]]) -> ThreadView:
    view = viewed(events)
    return ThreadView(thread_id, {view.run_id: view})
