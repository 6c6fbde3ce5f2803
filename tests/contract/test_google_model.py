"""What is particular to `MODEL=google:…`."""

from dayfly.agents.models.factory import Models
from dayfly.agents.sdk import AgentDefinition, Delta, ReasoningDelta
from dayfly.agents.sdk.testing import ask
from tests.contract.google_adapter import Google, chunk
from tests.contract.model_adapters import Response
from tests.contract.model_server import Reply, model_server

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


async def test_its_own_address_needs_no_base_url() -> None:
    """A model opens with a key alone."""
    async with Models(keys={"google": "k"})(ADAPTER.setting)() as model:
        assert (model.system, model.base_url) == ("google", "https://generativelanguage.googleapis.com/")
