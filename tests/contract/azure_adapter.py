"""What Azure OpenAI's server puts on the wire: Chat Completions behind paths of its own.

Source: https://learn.microsoft.com/en-us/azure/ai-foundry/openai/reference
"""

from contextlib import AbstractContextManager, nullcontext

from dayfly.agents.models.factory import Models
from tests.contract.model_adapters import OpenAI


class Azure(OpenAI):
    """The real client, at a resource's endpoint with an API version."""

    name = "azure"
    setting = "azure:our-gpt"
    path = "/openai/deployments/our-gpt/chat/completions?api-version=2024-10-21"

    def models(self, url: str) -> AbstractContextManager[Models]:
        return nullcontext(Models(keys={"azure": "the-key"}, base_urls={"azure": url}, api_version="2024-10-21"))


class AzureVersion1(Azure):
    """The real client, at a resource's endpoint without an API version."""

    name = "azure, version 1"
    path = "/openai/v1/chat/completions"

    def models(self, url: str) -> AbstractContextManager[Models]:
        return nullcontext(Models(keys={"azure": "the-key"}, base_urls={"azure": f"{url}/"}))
