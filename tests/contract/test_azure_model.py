"""What is particular to `MODEL=azure:…`."""

import pytest

from dayfly.agents.models.factory import Models
from dayfly.agents.sdk import AgentDefinition
from dayfly.agents.sdk.testing import ask
from tests.contract.azure_adapter import Azure, AzureVersion1
from tests.contract.model_adapters import Response

AGENT = AgentDefinition(instructions="Answer briefly.")


@pytest.mark.parametrize(
    ("adapter", "header", "value"),
    [(Azure(), "api-key", "the-key"), (AzureVersion1(), "authorization", "Bearer the-key")],
    ids=["version", "version 1"],
)
async def test_the_request(adapter: Azure, header: str, value: str) -> None:
    """The key goes in one header and nowhere else; the deployment's name stands for the model's."""
    async with adapter.serve(Response(text=("Hi.",))) as (models, server):
        await ask(AGENT, "Hello", model=adapter.setting, models=models)
    (request,) = server.requests
    assert request.headers.pop(header) == value
    assert "the-key" not in f"{request.path} {request.headers} {request.body!r}"
    assert request.json()["model"] == "our-gpt"


@pytest.mark.parametrize("path", ["/openai/v1", "/openai/v1/", ""])
async def test_an_endpoint_that_names_version_1(path: str) -> None:
    """It is taken as it is, an API version or not; a resource's alone is completed."""
    version = "2024-10-21" if path else None
    models = Models(keys={"azure": "k"}, base_urls={"azure": f"https://n.openai.azure.com{path}"}, api_version=version)
    async with models("azure:our-gpt")() as model:
        assert model.base_url == "https://n.openai.azure.com/openai/v1/"
