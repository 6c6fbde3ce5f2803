"""What is sent to a model's server in a thread's later requests, from what a client sees to the server's bytes."""

import json

from pydantic import JsonValue

from tests.contract import openai_wire
from tests.contract.model_server import Answer, Reply
from tests.contract.scripted_model import ScriptedModel, Streamed, Whole
from tests.contract.validators.openai_chat import check_strict_template, roles_of
from tests.contract.validators.rfc8259 import strictly_loaded
from tests.contract.validators.shapes import Object, an_object, objects
from tests.live.kit.chat import Chat
from tests.live.kit.modelled import Modelled
from tests.live.kit.steps import accepted, asks, whole

SIGNATURE = "c2lnbmF0dXJl" * 40
EXTRA: JsonValue = {"google": {"thought_signature": SIGNATURE}}
CALL_ID = "call_" + "v" * 944


def asks_to_buy() -> Streamed:
    """A response with reasoning in a field, and a signature beside its call, whose id is long."""
    function: JsonValue = {"name": "buy", "arguments": '{"what": "tea"}'}
    call: JsonValue = {"index": 0, "id": CALL_ID, "type": "function", "function": function, "extra_content": EXTRA}
    return openai_wire.stream(
        openai_wire.chunk({"reasoning_content": "The user wants tea."}),
        openai_wire.chunk({"tool_calls": [call]}),
        openai_wire.chunk({}, "tool_calls"),
        openai_wire.usage(10, 5),
        openai_wire.DONE,
    )


def called_with(request: Object) -> tuple[Object, Object]:
    """The assistant's message with a call, and the call."""
    (message,) = (one for one in objects(request["messages"], "messages") if one.get("tool_calls"))
    (call,) = objects(message["tool_calls"], "tool_calls")
    return message, call


async def test_state_goes_back_after_an_approval_and_in_the_next_run(models: Modelled, client: Chat) -> None:
    """The server has its signature, its reasoning and its own id again; the client has an id of ours, which it can send
    back; and no frame, no page of the history and no line of the log holds what is the provider's."""
    server = models.openai
    server.play(asks_to_buy(), openai_wire.says("Bought."), openai_wire.says("You are welcome."))
    run = await accepted(client, "Buy tea.", agent="asking")
    call_id = (await asks(client, run))["payload"]["tool_call_id"]
    assert len(call_id) == 9
    approved = await client.ask("approve", run_id=run["run_id"], tool_call_id=call_id, approved=True)
    assert approved["type"] == "approved", approved
    assert (await whole(client, run))[-1]["payload"]["result"] == "Bought."
    next_run = await accepted(client, "Thanks.", thread_id=run["thread_id"], agent="asking")
    assert (await whole(client, next_run))[-1]["payload"]["result"] == "You are welcome."
    for request in server.bodies[1:]:
        message, call = called_with(request)
        assert message["reasoning_content"] == "The user wants tea."
        assert (call["extra_content"], call["id"]) == (EXTRA, CALL_ID)
    page = await client.ask("history", thread_id=run["thread_id"])
    shown = [*(json.dumps(frame) for frame in [*client.frames, page]), *models.emulator.lines]
    assert any("Bought." in line for line in shown)
    assert not any(secret in line for line in shown for secret in (SIGNATURE[:60], CALL_ID[:60]))


WINDOW_BYTES = 128_000 * 4


def limited(answer: Answer, server: ScriptedModel) -> Answer:
    """The answer of a model that holds 128,000 tokens."""

    async def reply(to: Reply) -> None:
        if len(server.requests[-1].body) > WINDOW_BYTES:
            error: JsonValue = {"error": {"code": "context_length_exceeded", "message": "too long"}}
            await Whole(400, error)(to)
        else:
            await answer(to)

    return reply


async def test_a_result_of_a_megabyte_leaves_the_thread_usable(models: Modelled, client: Chat) -> None:
    """It is cut for the model, in its own run and in the thread's next ones; its head and tail are there."""
    server = models.openai
    script = (
        openai_wire.calls("read", '{"size": 1000000}', "call_0"), openai_wire.says("Read."), openai_wire.says("Yes."),
        openai_wire.calls("read", '{"size": 1000000}', "call_0"), openai_wire.says("Again."), openai_wire.says("Fine."),
    )  # fmt: skip
    server.play(*(limited(answer, server) for answer in script))
    thread: dict[str, object] = {}
    for text, said in (("Read it.", "Read."), ("Good?", "Yes."), ("Once more.", "Again."), ("And?", "Fine.")):
        run = await accepted(client, text, agent="asking", **thread)
        thread = {"thread_id": run["thread_id"]}
        assert (await whole(client, run))[-1]["payload"].get("result") == said
    assert server.left == 0
    for body in (request.body for request in server.requests):
        check_strict_template(
            an_object(strictly_loaded(body), "the request"), nine=False, own_ids=frozenset({"call_0"})
        )
    result = objects(server.bodies[1]["messages"], "messages")[-1]
    assert str(result["content"]).startswith("HEAD")
    assert str(result["content"]).endswith("TAIL")


async def test_a_run_that_was_stopped_before_its_first_word(models: Modelled, client: Chat) -> None:
    """The next message is sent with it as one, as strict templates want it."""
    server = models.openai
    server.play(openai_wire.stream(30.0), openai_wire.says("Here."))
    run = await accepted(client, "Are you there?", agent="asking")
    await client.until(lambda frame: frame["type"] == "agent_thinking" and frame["run_id"] == run["run_id"])
    await client.ask("cancel", run_id=run["run_id"])
    await whole(client, run)
    run = await accepted(client, "Hello?", agent="asking", thread_id=run["thread_id"])
    assert (await whole(client, run))[-1]["payload"]["result"] == "Here."
    assert roles_of(server.bodies[-1]) == ["system", "user"]
