"""A request to the model that is made again, from the model's server to its user's devices."""

import asyncio
import time
from collections.abc import Callable

import pytest

from tests.contract import bedrock_wire, openai_wire
from tests.contract.event_stream import exception
from tests.contract.model_server import Answer
from tests.contract.scripted_model import Ends, Whole
from tests.live.kit.chat import Chat
from tests.live.kit.control import ENGINE, Control
from tests.live.kit.modelled import BEDROCK, OPENAI, Modelled
from tests.live.kit.reducer import viewed
from tests.live.kit.steps import accepted, kinds, outline, resumes, whole

HALF = openai_wire.chunk({"content": "The answer is thirty-"})
WITHIN_S = 10.0
"""A wide ceiling, for machines that do much else; what was measured is told."""
SAID = "The answer is 42."
ANSWERS = openai_wire.says("The answer ", "is 42.")
DOWN = Whole(503, {"error": {"message": "no capacity", "code": "down"}}, {"x_request_id": "req_down"})


def busy(seconds: int) -> Whole:
    return Whole(429, {"error": {"message": "slow down", "code": "rate_limit_exceeded"}}, {"Retry_After": str(seconds)})


async def test_a_throttled_request_is_made_again_when_its_provider_says(models: Modelled, client: Chat) -> None:
    """The client is told why and when; heartbeats meanwhile say that it is waited; then the answer comes."""
    models.openai.play(busy(6), ANSWERS)
    run = await accepted(client, "What is 6 * 7?", agent=OPENAI)
    events = await whole(client, run)
    assert outline(events) == [
        "user_message", "agent_started", "agent_thinking", "agent_retrying", "agent_delta", "agent_completed",
    ]  # fmt: skip
    (retrying,) = [event["payload"] for event in events if event["type"] == "agent_retrying"]
    assert (retrying["reason"], retrying["retry"]) == ("throttled", 1)
    assert 6000 <= retrying["delay_ms"] <= 7000
    assert "retrying" in {frame["phase"] for frame in client.frames if "phase" in frame}
    assert events[-1]["payload"]["result"] == viewed(events).answer() == SAID
    assert events[-1]["payload"]["usage"]["requests"] == 1
    assert models.openai.left == 0


BROKEN = bedrock_wire.stream(
    bedrock_wire.START,
    bedrock_wire.delta({"text": "The answer is thirty-"}),
    0.3,
    exception("modelStreamErrorException", "it failed"),
)


@pytest.mark.parametrize(
    ("agent", "answers"),
    [
        (OPENAI, (openai_wire.stream(HALF, 0.3, Ends.DROPPED), ANSWERS)),
        (BEDROCK, (BROKEN, bedrock_wire.says("The answer ", "is 42."))),
    ],
    ids=[OPENAI, BEDROCK],
)
async def test_a_response_that_breaks_off_in_mid_sentence(
    models: Modelled, client: Chat, user: str, agent: str, answers: tuple[Answer, Answer]
) -> None:
    """Each device, whenever it came, reduces the events to the answer alone; so does the history, and the next request
    of the thread knows nothing of the sentence that broke off."""
    server = {OPENAI: models.openai, BEDROCK: models.bedrock}[agent]
    server.play(*answers, answers[1])
    run = await accepted(client, "What is 6 * 7?", agent=agent)
    async with models.chat(user) as second:
        await client.until(lambda frame: frame["type"] == "agent_retrying")
        assert (await second.ask("attach", thread_id=run["thread_id"], after={run["run_id"]: 0}))["type"] == "attached"
        events = await whole(client, run)
        assert await whole(second, run) == events
    async with models.chat(user) as late:
        assert (await late.ask("attach", thread_id=run["thread_id"], after={run["run_id"]: 0}))["type"] == "attached"
        assert await whole(late, run) == events
    deltas = [event["payload"]["text"] for event in events if event["type"] == "agent_delta"]
    assert deltas[0] == "The answer is thirty-", "it was shown, and is void"
    assert viewed(events).said() == viewed(events).answer() == events[-1]["payload"]["result"] == SAID
    assert kinds(events).count("agent_thinking") == 1
    history = await client.ask("history", thread_id=run["thread_id"])
    assert [message["text"] for message in history["messages"]] == ["What is 6 * 7?", SAID]
    again = await accepted(client, "Are you sure?", agent=agent, thread_id=run["thread_id"])
    await whole(client, again)
    assert "thirty-" not in server.requests[-1].body.decode()
    assert SAID in server.requests[-1].body.decode()


async def test_a_provider_that_is_down_for_ever(
    models: Modelled, client: Chat, record_property: Callable[[str, object], None]
) -> None:
    """After four requests the run ends as one that may be tried again. The log has a line for each, with the provider's
    request id, and no traceback."""
    models.openai.play(*[DOWN] * 9)
    started = time.perf_counter()
    run = await accepted(client, "What is 6 * 7?", agent=OPENAI)
    events = await whole(client, run)
    record_property("ended_s", round(time.perf_counter() - started, 3))
    assert [event["payload"]["retry"] for event in events if event["type"] == "agent_retrying"] == [1, 2, 3]
    end = events[-1]
    assert end["type"] == "agent_error"
    assert end["payload"] == {
        "code": "model_failed", "message": "The model is not available at the moment.", "retryable": True,
    }  # fmt: skip
    assert len(models.openai.requests) == 4
    lines = [line for line in models.emulator.json_lines(ENGINE) if line.get("run") == run["run_id"]]
    told = [line for line in lines if line.get("provider_request_id") == "req_down"]
    assert [(line["level"], line["status"], line["retries"]) for line in told[:-1]] == [
        ("WARNING", 503, 0), ("WARNING", 503, 1), ("WARNING", 503, 2),
    ]  # fmt: skip
    assert (told[-1]["level"], told[-1]["provider_code"], told[-1]["retries"]) == ("ERROR", "down", 3)
    assert not any("exception" in line for line in lines)


async def test_cancel_while_it_is_waited(
    models: Modelled, client: Chat, record_property: Callable[[str, object], None]
) -> None:
    """A run whose next try is half a minute away is cancelled within a second, and asks nobody any more."""
    models.openai.play(busy(30), ANSWERS)
    run = await accepted(client, "What is 6 * 7?", agent=OPENAI)
    await client.until(lambda frame: frame["type"] == "agent_retrying")
    started = time.perf_counter()
    assert (await client.ask("cancel", run_id=run["run_id"]))["type"] == "cancelling"
    end = await client.end_of(run["run_id"])
    took = time.perf_counter() - started
    record_property("cancelled_s", round(took, 3))
    assert end["type"] == "agent_cancelled"
    assert took < WITHIN_S
    await asyncio.sleep(0.2)
    assert len(models.openai.requests) == 1


async def test_an_engine_that_is_killed_while_it_waits(models: Modelled, client: Chat) -> None:
    """The next engine goes on with the request, behind the tool that had run, and the text of the failed try is void
    for good."""
    asks = openai_wire.calls("calculate", '{"expression": "6 * 7"}')
    broken = openai_wire.stream(HALF, 0.3, openai_wire.data({"error": {"message": "try again in 20s", "code": 429}}))
    models.openai.play(asks, broken, ANSWERS)
    run = await accepted(client, "What is 6 * 7?", agent=OPENAI)
    await client.until(lambda frame: frame["type"] == "agent_retrying")
    killed = await Control(models.emulator.url).inject("kill_environments", function=ENGINE)
    assert killed["killed"] >= 1
    events = await whole(client, run)
    assert resumes(events) == ["engine_lost"]
    assert kinds(events).count("tool_executing") == 1
    assert viewed(events).answer() == events[-1]["payload"]["result"] == SAID
    assert "thirty-" not in models.openai.requests[-1].body.decode()
    history = await client.ask("history", thread_id=run["thread_id"])
    assert not any("thirty-" in message["text"] for message in history["messages"])
