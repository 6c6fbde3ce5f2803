"""`MODEL=azure:<deployment>`: Azure OpenAI's Chat Completions.

The endpoint is a resource's, such as `https://name.openai.azure.com`. With an API version its deployments are asked by
their paths; without one its version 1, which takes the deployment's name for the model's and needs no version.
Source: https://learn.microsoft.com/en-us/azure/ai-foundry/openai/api-version-lifecycle
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import cast
from urllib.parse import urlsplit

import openai
from pydantic_ai.models import Model
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.providers.azure import AzureProvider

from dayfly.agents.models.factory import AZURE, Models
from dayfly.agents.models.openai import PROFILE
from dayfly.agents.models.openai_requests import chat_settings, client_timeout
from dayfly.agents.models.openai_transport import chat_http_client
from dayfly.agents.models.request_settings import profile_of
from dayfly.agents.pydantic.agent import OpenModel
from dayfly.agents.sdk.settings import ModelSettings
from dayfly.errors import ConfigurationError


def opener(model_id: str, models: Models, settings: ModelSettings) -> OpenModel:
    """Opens this deployment with a client of its own, which is closed with the run.

    Raises `ConfigurationError` without a key or an endpoint.
    """
    key, endpoint = models.required_key(AZURE), models.base_url_of(AZURE)
    if endpoint is None:
        raise ConfigurationError(
            "there is no endpoint: set AZURE_OPENAI_ENDPOINT to the resource's, such as "
            "https://name.openai.azure.com, on AWS ModelBaseUrl"
        )
    version = None if urlsplit(endpoint).path.endswith("/v1") else models.api_version
    asked, profile = chat_settings(settings), profile_of(settings, PROFILE)

    def client() -> openai.AsyncOpenAI:
        timeout, http = client_timeout(settings), chat_http_client()
        if version:
            return openai.AsyncAzureOpenAI(
                api_key=key,
                azure_endpoint=endpoint,
                api_version=version,
                timeout=timeout,
                max_retries=0,
                http_client=http,
            )
        return openai.AsyncOpenAI(
            api_key=key, base_url=_version_1(endpoint), timeout=timeout, max_retries=0, http_client=http
        )

    @asynccontextmanager
    async def open_model() -> AsyncIterator[Model]:
        async with client() as opened:
            # The provider takes either client, and only says that it takes the first.
            provider = AzureProvider(openai_client=cast("openai.AsyncAzureOpenAI", opened))
            yield OpenAIChatModel(model_id, provider=provider, profile=profile, settings=asked)

    return open_model


def _version_1(endpoint: str) -> str:
    return endpoint if urlsplit(endpoint).path.endswith("/v1") else f"{endpoint}/openai/v1"
