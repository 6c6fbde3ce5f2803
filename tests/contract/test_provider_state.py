"""What a provider wants back with a response goes back to it, by whatever way the response comes again."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import boto3
import pytest
from botocore.config import Config
from pydantic import JsonValue

from dayfly.agents.models.factory import Models
from dayfly.agents.pydantic.agent import OpenModel, PydanticAgent
from dayfly.agents.sdk import AgentDefinition, AgentEvent, Asked, AssistantSaid, Responded, Tool, ToolEnded, UserSaid
from dayfly.history.chunks import chunks_of, messages_in, unpack_fragments
from dayfly.log.journal import JournalEntry, pack_journal, unpack_journal
from dayfly.log.messages import Decision, Message, ToolAnswered
from tests.contract import bedrock_wire, openai_wire
from tests.contract.model_server import Answer
from tests.contract.scripted_model import ScriptedModel, scripted_model
from tests.contract.validators.shapes import Object, an_object, objects
from tests.unit.agents.support import collect, turn


def buy(what: str) -> str:
    """Buys."""
    return f"bought {what}"


def look() -> str:
    """Looks."""
    return "seen"


AGENT = AgentDefinition(
    instructions="Help.", tools=(Tool(buy, requires_approval=True, idempotent=True), Tool(look, idempotent=True))
)
EXTRA: JsonValue = {"google": {"thought_signature": "c2lnbmF0dXJl" * 10}}
THOUGHT = "The user wants tea."


def asks(name: str, arguments: str = "{}", call_id: str = "call_0", extra: JsonValue = EXTRA) -> Answer:
    """A response of a base URL's server with reasoning, and a signature beside its call."""
    call: JsonValue = {
        "index": 0, "id": call_id, "type": "function", "function": {"name": name, "arguments": arguments},
        "extra_content": extra,
    }  # fmt: skip
    return openai_wire.stream(
        openai_wire.chunk({"reasoning_content": "The user "}),
        openai_wire.chunk({"reasoning_content": "wants tea."}),
        openai_wire.chunk({"tool_calls": [call]}),
        openai_wire.chunk({}, "tool_calls"),
        openai_wire.usage(10, 5),
        openai_wire.DONE,
    )


def asks_bedrock(signature: str) -> Answer:
    """A response with signed reasoning before its call."""
    return bedrock_wire.stream(
        bedrock_wire.START,
        bedrock_wire.delta({"reasoningContent": {"text": "The user "}}),
        bedrock_wire.delta({"reasoningContent": {"text": "wants tea."}}),
        bedrock_wire.delta({"reasoningContent": {"signature": signature}}),
        bedrock_wire.stop_block(),
        *bedrock_wire.tool_use("look", "{}", call_id="tooluse_A"),
        bedrock_wire.stop("tool_use"),
        bedrock_wire.counted(10, 5),
    )


@dataclass
class Thread:
    """A thread over one model after another. What it holds has been through journal and history, as bytes."""

    history: tuple[Message, ...] = ()
    left: list[Message] = field(default_factory=list)
    events: list[AgentEvent] = field(default_factory=list)

    def attempt(self, open_model: OpenModel, text: str, *decisions: Decision) -> AgentEvent:
        """One attempt of a run; its last event."""
        given = turn(
            text, history=self.history, resumed=_journaled(self.left), decisions=decisions, run=f"r-{len(self.history)}"
        )
        self.events = []
        asyncio.run(collect(PydanticAgent(AGENT, open_model).run(given), self.events))
        for event in self.events:
            if isinstance(event, Responded):
                self.left.append(event.message)
            elif isinstance(event, ToolEnded):
                self.left.append(event.answer)
        return self.events[-1]

    def run(self, open_model: OpenModel, text: str) -> None:
        """A whole run, whose user allows what is asked for."""
        decisions: tuple[Decision, ...] = ()
        while isinstance(asked := self.attempt(open_model, text, *decisions), Asked):
            decisions = tuple(Decision(call.tool_call_id, approved=True) for call in asked.calls)
        self.end(text)

    def end(self, text: str) -> None:
        """The run is over: what it said is history."""
        chunks = chunks_of((UserSaid(text), *self.left))
        said = messages_in(fragment for chunk in chunks for fragment in unpack_fragments(chunk.data))
        self.history, self.left = (*self.history, *said), []


def _journaled(messages: list[Message]) -> tuple[Message, ...]:
    entries = tuple(JournalEntry(2, one) for one in messages if isinstance(one, AssistantSaid | ToolAnswered))
    read = (entry.message for entry in unpack_journal(pack_journal(entries)))
    return tuple(one for one in read if isinstance(one, AssistantSaid | ToolAnswered))


@pytest.fixture
def server() -> Iterator[ScriptedModel]:
    with scripted_model() as started:
        yield started


@pytest.fixture
def other() -> Iterator[ScriptedModel]:
    with scripted_model() as started:
        yield started


@pytest.fixture
def bedrock(server: ScriptedModel) -> Iterator[OpenModel]:
    client = boto3.client(
        "bedrock-runtime", region_name="eu-central-1", endpoint_url=server.url, aws_access_key_id="loopback",
        aws_secret_access_key="loopback", config=Config(retries={"total_max_attempts": 1}, read_timeout=20),
    )  # fmt: skip
    yield Models(bedrock=client)("bedrock:eu.anthropic.claude-sonnet-4-5-20250929-v1:0")
    client.close()


def compatible(server: ScriptedModel) -> OpenModel:
    return Models(base_url=f"{server.url}/v1")("openai:deepseek-chat")


def assistants(request: Object) -> list[Object]:
    """The assistant's messages of a request."""
    return [one for one in objects(request["messages"], "messages") if one["role"] == "assistant"]


def call_of(message: Object) -> Object:
    (call,) = objects(message["tool_calls"], "tool_calls")
    return call


def test_after_an_approval(server: ScriptedModel) -> None:
    """The signature beside the call, the reasoning before it and the server's own id, from another attempt."""
    thread = Thread()
    server.play(asks("buy", '{"what": "tea"}', "x" * 949), openai_wire.says("Done."))
    asked = thread.attempt(compatible(server), "Buy tea.")
    assert isinstance(asked, Asked)
    (call_id,) = (call.tool_call_id for call in asked.calls)
    assert len(call_id) == 9
    assert call_id.isalnum()
    thread.attempt(compatible(server), "Buy tea.", Decision(call_id, approved=True))
    (message,) = assistants(server.bodies[1])
    assert message["reasoning_content"] == THOUGHT
    assert call_of(message)["extra_content"] == EXTRA
    assert call_of(message)["id"] == "x" * 949
    result = objects(server.bodies[1]["messages"], "messages")[-1]
    assert (result["tool_call_id"], result["content"]) == ("x" * 949, "bought tea")


def test_within_a_run_and_in_the_next(server: ScriptedModel) -> None:
    """Each request of either run has it; an id that the server gives again is not sent twice."""
    thread = Thread()
    server.play(asks("look"), asks("look"), openai_wire.says("Done."), openai_wire.says("Again."))
    thread.run(compatible(server), "Look.")
    thread.run(compatible(server), "Thanks.")
    for request, count in zip(server.bodies[1:], (1, 2, 2), strict=True):
        calling = [one for one in assistants(request) if "tool_calls" in one]
        assert [one["reasoning_content"] for one in calling] == [THOUGHT] * count
        assert [call_of(one)["extra_content"] for one in calling] == [EXTRA] * count
        ids = [str(call_of(one)["id"]) for one in calling]
        assert ids[0] == "call_0"
        assert len(set(ids)) == count


def test_an_attempt_that_is_made_again_has_the_same_ids(server: ScriptedModel) -> None:
    """So what an earlier attempt has handed out can be sent back."""
    ids = []
    for _ in range(2):
        server.play(asks("buy", '{"what": "tea"}'))
        asked = Thread().attempt(compatible(server), "Buy tea.")
        assert isinstance(asked, Asked)
        ids.append(asked.calls)
    assert ids[0] == ids[1]


@pytest.mark.parametrize("way", ["approval", "next run"])
def test_never_to_another_provider(server: ScriptedModel, other: ScriptedModel, bedrock: OpenModel, way: str) -> None:
    """Neither to another server of the same protocol nor to Bedrock; and when the thread comes back, it is there."""
    thread = Thread()
    other.play(asks("buy", '{"what": "tea"}', "x" * 949), openai_wire.says("Done."))
    asked = thread.attempt(compatible(other), "Buy tea.")
    assert isinstance(asked, Asked)
    allowed = tuple(Decision(call.tool_call_id, approved=True) for call in asked.calls)
    if way == "next run":
        thread.attempt(compatible(other), "Buy tea.", *allowed)
        thread.end("Buy tea.")
        allowed = ()
    thread.attempt(_played(server, compatible(server), openai_wire.says("One.")), "Buy tea.", *allowed)
    thread.end("Buy tea.")
    bodies = [server.requests[-1].body.decode()]
    thread.run(_played(server, bedrock, bedrock_wire.says("Two.")), "And?")
    bodies.append(server.requests[-1].body.decode())
    for body in bodies:
        assert "bought tea" in body
        for secret in (THOUGHT, "thought_signature", "reasoning_content", "x" * 949):
            assert secret not in body
    other.play(openai_wire.says("Back."))
    thread.run(compatible(other), "And now?")
    first = assistants(other.bodies[0])[0]
    assert (first["reasoning_content"], call_of(first)["extra_content"]) == (THOUGHT, EXTRA)
    assert call_of(first)["id"] == "x" * 949


def _played(server: ScriptedModel, open_model: OpenModel, *answers: Answer) -> OpenModel:
    server.play(*answers)
    return open_model


@pytest.mark.parametrize("size", [100, 300_000])
def test_signed_reasoning_goes_back_to_bedrock(server: ScriptedModel, bedrock: OpenModel, size: int) -> None:
    """With its signature, which may be long, within the run and in the next; and nobody is shown it."""
    signature = "s" * size
    thread = Thread()
    server.play(asks_bedrock(signature), bedrock_wire.says("Done."), bedrock_wire.says("Again."))
    thread.run(bedrock, "Look.")
    thread.run(bedrock, "Thanks.")
    for request in server.bodies[1:]:
        blocks = objects(objects(request["messages"], "messages")[1]["content"], "content")
        reasoning = an_object(an_object(blocks[0]["reasoningContent"], "reasoning")["reasoningText"], "text")
        assert reasoning == {"text": THOUGHT, "signature": signature}
        assert an_object(blocks[1]["toolUse"], "toolUse")["toolUseId"] == "tooluse_A"
    said = [message for message in thread.history if isinstance(message, AssistantSaid)]
    assert all(THOUGHT not in message.text for message in said)


def test_redacted_reasoning_goes_back_to_bedrock(server: ScriptedModel, bedrock: OpenModel) -> None:
    """As the bytes that it came in."""
    server.play(
        bedrock_wire.stream(
            bedrock_wire.START,
            bedrock_wire.delta({"reasoningContent": {"redactedContent": "ZW5jcnlwdGVk"}}),
            bedrock_wire.stop_block(),
            *bedrock_wire.tool_use("look", "{}", call_id="tooluse_A"),
            bedrock_wire.stop("tool_use"),
        ),
        bedrock_wire.says("Done."),
    )
    Thread().run(bedrock, "Look.")
    blocks = objects(objects(server.bodies[1]["messages"], "messages")[1]["content"], "content")
    assert blocks[0] == {"reasoningContent": {"redactedContent": "ZW5jcnlwdGVk"}}


def test_state_that_can_not_be_read_is_left_out(server: ScriptedModel) -> None:
    """The response is sent as text and calls."""
    thread = Thread()
    server.play(asks("look"), openai_wire.says("Done."), openai_wire.says("Again."))
    thread.run(compatible(server), "Look.")
    thread.history = tuple(_torn(message) for message in thread.history)
    thread.run(compatible(server), "Thanks.")
    first = assistants(server.bodies[-1])[0]
    assert "reasoning_content" not in first
    assert len(str(call_of(first)["id"])) == 9


def _torn(message: Message) -> Message:
    if not isinstance(message, AssistantSaid) or message.state is None:
        return message
    return replace(message, state=replace(message.state, data=message.state.data[:-9]))
