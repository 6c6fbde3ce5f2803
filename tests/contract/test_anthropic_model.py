"""What is particular to `MODEL=anthropic:…`."""

import pytest

from dayfly.agents.models.factory import Models
from dayfly.agents.pydantic.failures.failures import ModelRefused
from dayfly.agents.sdk import AgentDefinition, Answered, Delta, ModelFailed, ReasoningDelta, Responded
from dayfly.agents.sdk.testing import ask
from tests.contract.anthropic_adapter import Anthropic, block_delta, block_start, message_end, message_start, sse
from tests.contract.model_adapters import Response
from tests.contract.model_server import Reply, model_server

ADAPTER = Anthropic()
AGENT = AgentDefinition(instructions="Answer briefly.")


async def test_the_request() -> None:
    """The key goes in its header and nowhere else; instructions are no message; a most of tokens is always told."""
    async with ADAPTER.serve(Response(text=("Hi.",))) as (models, server):
        await ask(AGENT, "Hello", model=ADAPTER.setting, models=models)
    (request,) = server.requests
    assert request.headers.pop("authorization") == "Bearer the-key"
    assert "the-key" not in f"{request.path} {request.headers} {request.body!r}"
    assert request.headers["anthropic-version"]
    body = request.json()
    assert "Answer briefly." in str(body["system"])
    assert body["messages"] == [{"role": "user", "content": [{"type": "text", "text": "Hello"}]}]
    assert body["stream"] is True
    tokens = body["max_tokens"]
    assert isinstance(tokens, int)
    assert tokens >= 4096


async def test_thinking_streams_as_reasoning() -> None:
    """It is no part of the answer; its signature is shown to nobody, and pings say nothing."""

    async def thinks(reply: Reply) -> None:
        frames = [
            message_start(),
            sse("ping", {}),
            *block_start(0, {"type": "thinking", "thinking": "", "signature": ""}),
            block_delta(0, {"type": "thinking_delta", "thinking": "Let me "}),
            sse("ping", {}),
            block_delta(0, {"type": "thinking_delta", "thinking": "see."}),
            block_delta(0, {"type": "signature_delta", "signature": "c2lnbmVk"}),
            sse("content_block_stop", {"index": 0}),
            *block_start(1, {"type": "text", "text": ""}),
            block_delta(1, {"type": "text_delta", "text": "Four."}),
            sse("content_block_stop", {"index": 1}),
            *message_end("end_turn", {"output_tokens": 9}),
        ]
        await ADAPTER.send(reply, *frames)
        await reply.end()

    async with model_server(thinks) as server:
        with ADAPTER.models(server.url) as models:
            transcript = await ask(AGENT, "2 + 2?", model=ADAPTER.setting, models=models)
    assert [one.text for one in transcript.events if isinstance(one, ReasoningDelta)] == ["Let me ", "see."]
    assert [one.text for one in transcript.events if isinstance(one, Delta)] == ["Four."]
    assert transcript.answer == "Four."
    shown = [one for one in transcript.events if not isinstance(one, Responded)]
    assert "c2lnbmVk" not in str(shown)


@pytest.mark.parametrize(("status", "retryable"), [(529, True), (400, False), (404, False)])
async def test_what_a_refusal_means(status: int, *, retryable: bool) -> None:
    """An overloaded provider may answer later; a request that it does not take stays one."""

    async def refuses(reply: Reply) -> None:
        await ADAPTER.refuse(reply, status, "inner details")

    async with model_server(*[refuses] * 9) as server:
        with ADAPTER.models(server.url) as models, pytest.raises(ModelFailed) as failure:
            await ask(AGENT, "Hello", model=ADAPTER.setting, models=models)
    assert failure.value.retryable is retryable
    assert isinstance(failure.value, ModelRefused) is not retryable
    assert "inner details" not in str(failure.value)


async def test_blank_events_and_an_unknown_one() -> None:
    """Comments, blank lines and events of a kind that is not known yet are passed over."""

    async def odd(reply: Reply) -> None:
        frames = [b": keep-alive\n\n", *ADAPTER.begun("Hi"), b"\n", sse("new_kind", {"x": 1}), b": again\n\n"]
        await ADAPTER.send(reply, *frames, *ADAPTER.rest(Response(text=())))
        await reply.end()

    async with model_server(odd) as server:
        with ADAPTER.models(server.url) as models:
            transcript = await ask(AGENT, "Hello", model=ADAPTER.setting, models=models)
    assert transcript.events[-1] == Answered("Hi")


async def test_its_own_address_needs_no_base_url() -> None:
    """A model opens with a key alone."""
    async with Models(keys={"anthropic": "k"})(ADAPTER.setting)() as model:
        assert (model.system, model.base_url) == ("anthropic", "https://api.anthropic.com")
