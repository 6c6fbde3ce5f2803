"""What is particular to `MODEL=google:…`."""

import pytest
from pydantic import JsonValue

from dayfly.agents.models.factory import Models
from dayfly.agents.sdk import AgentDefinition, Delta, ReasoningDelta, Retrying
from dayfly.agents.sdk.testing import ask
from tests.contract.google_adapter import Google, chunk
from tests.contract.hearing import hear
from tests.contract.model_adapters import Response
from tests.contract.model_server import Reply, model_server
from tests.contract.scripted_model import Streamed
from tests.contract.validators.generate_content import check_generate_content
from tests.contract.validators.shapes import objects

ADAPTER = Google()
AGENT = AgentDefinition(instructions="Answer briefly.")


async def test_the_request() -> None:
    """The key goes in its header and not into the address; instructions are no message of the conversation."""
    async with ADAPTER.serve(Response(text=("Hi.",))) as (models, server):
        await ask(AGENT, "Hello", model=ADAPTER.setting, models=models)
    (request,) = server.requests
    assert request.headers.pop("x-goog-api-key") == "the-key"
    assert "the-key" not in f"{request.path} {request.headers} {request.body!r}"
    body = request.json()
    assert "Answer briefly." in str(body["systemInstruction"])
    assert body["contents"] == [{"role": "user", "parts": [{"text": "Hello"}]}]


async def test_thoughts_stream_as_reasoning() -> None:
    """A part that is marked as a thought is no part of the answer."""

    async def thinks(reply: Reply) -> None:
        await ADAPTER.send(
            reply,
            chunk([{"text": "Let me see.", "thought": True}]),
            chunk([{"text": "Four."}]),
            chunk([{"text": "", "thoughtSignature": "c2lnbmVk"}], finish="STOP"),
        )
        await reply.end()

    async with model_server(thinks) as server:
        with ADAPTER.models(server.url) as models:
            transcript = await ask(AGENT, "2 + 2?", model=ADAPTER.setting, models=models)
    assert [one.text for one in transcript.events if isinstance(one, ReasoningDelta)] == ["Let me see."]
    assert [one.text for one in transcript.events if isinstance(one, Delta)] == ["Four."]
    assert transcript.answer == "Four."


async def test_a_signature_comes_back_in_the_place_where_it_came() -> None:
    """Also with a text that is empty."""
    signed: JsonValue = {"text": "", "thoughtSignature": "c2lnbmVk"}
    call: JsonValue = {"functionCall": {"id": "f1", "name": "double", "args": {"number": 3}}}
    asks = Streamed(ADAPTER.content_type, (chunk([signed]), chunk([call], finish="STOP")))
    came = await hear(ADAPTER, asks, Streamed(ADAPTER.content_type, (chunk([{"text": "Six."}], finish="STOP"),)))
    assert came.answer.text == "Six."
    for body in came.bodies:
        check_generate_content(body)
    said = objects(came.bodies[1]["contents"], "contents")[1]
    assert objects(said["parts"], "parts")[0] == signed


@pytest.mark.parametrize("part", [{}, {"text": None}, {"never_heard_of": {"x": 1}}])
async def test_a_part_that_can_not_be_read(part: JsonValue) -> None:
    """Is no answer: the model is asked again."""
    broken = Streamed(ADAPTER.content_type, (chunk([{"text": "Hel"}]), chunk([part])))
    came = await hear(ADAPTER, broken, Streamed(ADAPTER.content_type, (chunk([{"text": "Hello"}], finish="STOP"),)))
    assert came.failure is None
    assert [one.reason for one in came.events if isinstance(one, Retrying)] == ["no_answer"]
    assert came.answer.text == "Hello"


async def test_its_own_address_needs_no_base_url() -> None:
    """A model opens with a key alone."""
    async with Models(keys={"google": "k"})(ADAPTER.setting)() as model:
        assert (model.system, model.base_url) == ("google", "https://generativelanguage.googleapis.com/")
