"""What is particular to `MODEL=openai:…`."""

import pytest

from dayfly.agents.models.factory import Models
from dayfly.agents.pydantic.failures.failures import ModelRefused
from dayfly.agents.sdk import AgentDefinition
from dayfly.agents.sdk.testing import ask
from tests.contract.model_adapters import OpenAI, Response
from tests.contract.model_server import Reply, model_server

ADAPTER = OpenAI()
AGENT = AgentDefinition(instructions="Answer briefly.")


async def test_the_key_goes_in_the_header() -> None:
    """As a bearer token, and nowhere else."""
    async with ADAPTER.serve(Response(text=("Hi.",))) as (models, server):
        await ask(AGENT, "Hello", model=ADAPTER.setting, models=models)
    (request,) = server.requests
    assert request.headers.pop("authorization") == "Bearer the-key"
    assert "the-key" not in f"{request.path} {request.headers} {request.body!r}"


async def test_a_server_that_wants_no_key() -> None:
    """With a base URL and no key, such as Ollama, the model can be used."""
    async with ADAPTER.serve(Response(text=("Hi.",))) as (_, server):
        models = Models(base_url=f"{server.url}/v1")
        transcript = await ask(AGENT, "Hello", model=ADAPTER.setting, models=models)
    assert transcript.answer == "Hi."


async def test_a_wrong_key_is_a_final_failure() -> None:
    """A 401 gives a failure that trying again does not help, and says nothing of the key."""

    async def denies(reply: Reply) -> None:
        await ADAPTER.refuse(reply, 401, "Incorrect API key: the-key")

    async with model_server(denies) as server:
        with ADAPTER.models(server.url) as models, pytest.raises(ModelRefused) as failure:
            await ask(AGENT, "Hello", model=ADAPTER.setting, models=models)
    assert "the-key" not in str(failure.value)
    assert not failure.value.retryable
