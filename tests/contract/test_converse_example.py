"""The example of a loop over boto3's Converse, against what Bedrock puts on the wire."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from dayfly.agents.sdk import AssistantSaid, Delta, Finish, ModelFailed, ToolAnswered, ToolCall, UserSaid
from dayfly.agents.testing import ask, check_agent
from examples.agents import converse
from tests.contract import bedrock_wire, event_stream
from tests.contract.model_server import Reply
from tests.contract.scripted_model import Ends, ScriptedModel, scripted_model
from tests.unit.agents.support import turn

QUESTION = "Is the ferry to Oslo late?"


@pytest.fixture
def bedrock(monkeypatch: pytest.MonkeyPatch) -> Iterator[ScriptedModel]:
    """Bedrock on the loopback interface, found as boto3 finds it."""
    with scripted_model() as model:
        settings = {
            "AWS_ENDPOINT_URL_BEDROCK_RUNTIME": model.url,
            "AWS_ACCESS_KEY_ID": "loopback",
            "AWS_SECRET_ACCESS_KEY": "loopback",
            "AWS_DEFAULT_REGION": "eu-central-1",
        }
        for name, value in settings.items():
            monkeypatch.setenv(name, value)
        yield model


ASKS = bedrock_wire.stream(
    bedrock_wire.START,
    *bedrock_wire.text("I ", "look."),
    *bedrock_wire.tool_use("ferry", '{"to', 'wn": "Oslo"}', call_id="call-1"),
    bedrock_wire.stop("tool_use"),
    bedrock_wire.counted(20, 7),
)
TELLS = bedrock_wire.says("It is ", "20 minutes late.")


async def test_a_tool_is_called_and_the_answer_streamed(bedrock: ScriptedModel) -> None:
    """The second request has the call and its result; what was counted is told."""
    bedrock.play(ASKS, TELLS)
    transcript = await ask(converse.agent, QUESTION, settings={"CONVERSE_MODEL": "another-model"})
    assert transcript.answer == "It is 20 minutes late."
    assert [event.text for event in transcript.events if isinstance(event, Delta)] == [
        *("I ", "look.", "It is ", "20 minutes late.")
    ]
    assert bedrock.requests[0].path == "/model/another-model/converse-stream"
    first, second = bedrock.bodies
    assert first["messages"] == [{"role": "user", "content": [{"text": QUESTION}]}]
    use = {"toolUse": {"toolUseId": "call-1", "name": "ferry", "input": {"town": "Oslo"}}}
    result = {"toolResult": {"toolUseId": "call-1", "content": [{"text": "20 minutes late"}]}}
    assert second["messages"] == [
        {"role": "user", "content": [{"text": QUESTION}]},
        {"role": "assistant", "content": [{"text": "I look."}, use]},
        {"role": "user", "content": [result]},
    ]


async def test_the_developers_credentials_are_bedrocks(bedrock: ScriptedModel, monkeypatch: pytest.MonkeyPatch) -> None:
    """As `make run` hands them on; the others are for what is played there."""
    for name, value in {"ACCESS_KEY_ID": "developer", "SECRET_ACCESS_KEY": "s", "REGION": "eu-west-3"}.items():
        monkeypatch.setenv(f"BEDROCK_{name}", value)
    bedrock.play(TELLS)
    assert (await ask(converse.agent, QUESTION)).answer == "It is 20 minutes late."
    assert bedrock.requests[0].path == "/model/amazon.nova-lite-v1%3A0/converse-stream"
    signed = bedrock.requests[0].headers["authorization"]
    assert "Credential=developer/" in signed
    assert "/eu-west-3/bedrock/" in signed


async def test_a_history_is_sent_as_converse_takes_it(bedrock: ScriptedModel) -> None:
    """Roles in turns, no blank text, and a result for each call."""
    bedrock.play(TELLS)
    history = (
        UserSaid("Hello"),
        UserSaid("Hello?"),
        AssistantSaid("\n\n", (ToolCall("c-1", "ferry", "{}"),)),
        ToolAnswered("c-1", "ferry", ""),
        AssistantSaid(""),
    )
    await ask(converse.agent, QUESTION, history=history)
    (body,) = bedrock.bodies
    messages: Any = body["messages"]
    assert [message["role"] for message in messages] == ["user", "assistant", "user"]
    blocks = [block for message in messages for block in message["content"]]
    assert [block["text"] for block in blocks if "text" in block] == ["Hello", "Hello?", QUESTION]
    assert blocks[3]["toolResult"]["content"] == [{"text": "(nothing)"}]


async def test_how_the_answer_ended_is_told(bedrock: ScriptedModel) -> None:
    """A cut one is known from a whole one."""
    bedrock.play(bedrock_wire.says("It is", reason="max_tokens"))
    transcript = await ask(converse.agent, QUESTION)
    assert transcript.messages[-1] == AssistantSaid("It is", finish=Finish.LENGTH)


@pytest.mark.parametrize(
    "broken",
    [
        bedrock_wire.stream(bedrock_wire.START, bedrock_wire.delta({"text": "It"})),
        bedrock_wire.stream(bedrock_wire.START, Ends.DROPPED),
        bedrock_wire.stream(bedrock_wire.START, event_stream.exception("modelStreamErrorException", "no")),
    ],
)
async def test_a_stream_that_breaks_off_is_the_models_failure(bedrock: ScriptedModel, broken: Any) -> None:
    """Without a stop reason, in the middle, or in Bedrock's own words."""
    bedrock.play(broken)
    with pytest.raises(ModelFailed):
        await ask(converse.agent, QUESTION)


async def test_a_cancel_closes_the_stream_at_once(bedrock: ScriptedModel) -> None:
    """The server sees its connection closed, though nothing more was sent on it."""
    closed = asyncio.Event()
    loop = asyncio.get_running_loop()

    async def stalled(reply: Reply) -> None:
        await reply.begin(event_stream.CONTENT_TYPE)
        await reply.send(bedrock_wire.START + bedrock_wire.delta({"text": "It"}))
        await reply.closed()
        loop.call_soon_threadsafe(closed.set)

    bedrock.play(stalled)
    said = asyncio.Event()

    async def run() -> None:
        async for event in converse.agent().run(turn(QUESTION)):
            if isinstance(event, Delta):
                said.set()

    task = asyncio.create_task(run())
    await asyncio.wait_for(said.wait(), 10)
    task.cancel()
    await asyncio.wait_for(closed.wait(), 2)
    await asyncio.wait((task,), timeout=2)
    assert task.cancelled()


async def test_it_keeps_to_the_protocol(bedrock: ScriptedModel) -> None:
    """Whatever befalls its run: the model answers by what it is sent."""

    async def answer(reply: Reply) -> None:
        last: Any = bedrock.bodies[-1]["messages"]
        told = any("toolResult" in block for block in last[-1]["content"]) and "kit-1" not in str(last[-1])
        other = "Something else." in str(last[-1])
        await (TELLS if told else bedrock_wire.says("Ferries.") if other else ASKS)(reply)

    bedrock.play(*[answer] * 500)
    await check_agent(
        converse.agent, QUESTION, idempotent=("ferry",), model_requests=lambda: len(bedrock.requests), blocks_s=0.5
    )
    assert bedrock.left < 480
