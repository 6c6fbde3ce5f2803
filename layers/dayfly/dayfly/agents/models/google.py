"""`MODEL=google:<id>`: the Gemini API's `streamGenerateContent`."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx2
from google.genai import Client
from google.genai.types import HttpOptions
from pydantic_ai.models import Model, create_async_httpx2_client
from pydantic_ai.models.google import GoogleModel, GoogleModelSettings
from pydantic_ai.providers.google import GoogleProvider

from dayfly.agents.models.factory import GOOGLE, Models
from dayfly.agents.models.request_settings import (
    CONNECT_SECONDS,
    add_common,
    profile_of,
    silence_of,
    thinking_budget,
)
from dayfly.agents.pydantic.agent import OpenModel
from dayfly.agents.sdk.settings import ModelSettings


def opener(model_id: str, models: Models, settings: ModelSettings) -> OpenModel:
    """Opens this model with a client of its own, which belongs to the run's event loop and is closed with the run.

    Raises `ConfigurationError` without a key.
    """
    key, base_url, asked = models.required_key(GOOGLE), models.base_url_of(GOOGLE), _settings(settings)
    silence_s = silence_of(settings)

    @asynccontextmanager
    async def open_model() -> AsyncIterator[Model]:
        timeout = httpx2.Timeout(silence_s, connect=CONNECT_SECONDS)
        async with create_async_httpx2_client(timeout=timeout) as connections:
            options = HttpOptions(
                base_url=base_url,
                httpx_async_client=connections,
                timeout=round(silence_s * 1000),
                extra_body=dict(settings.extra_body) if settings.extra_body is not None else None,
            )
            client = Client(vertexai=False, api_key=key, http_options=options)
            try:
                provider = GoogleProvider(client=client)
                yield GoogleModel(model_id, provider=provider, profile=profile_of(settings), settings=asked)
            finally:
                client.close()

    return open_model


def _settings(settings: ModelSettings) -> GoogleModelSettings:
    told = GoogleModelSettings()
    add_common(told, settings)
    if (budget := thinking_budget(settings)) is not None:
        told["google_thinking_config"] = {"thinking_budget": budget, "include_thoughts": True}
    return told
