"""`MODEL=openai:<id>`: OpenAI's Chat Completions, or another server that speaks them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import openai
from pydantic_ai.models import Model
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.profiles.openai import OpenAIModelProfile
from pydantic_ai.providers.openai import OpenAIProvider
from pydantic_ai.providers.openai_compatible import OpenAICompatibleProvider

from dayfly.agents.models.factory import OPENAI, Models
from dayfly.agents.models.openai_requests import chat_settings, client_timeout
from dayfly.agents.models.openai_transport import chat_http_client
from dayfly.agents.models.request_settings import profile_of
from dayfly.agents.pydantic.agent import OpenModel
from dayfly.agents.sdk.settings import ModelSettings

PROFILE: Final = OpenAIModelProfile(thinking_tags=("\0", "\0"))
"""Thoughts between tags are told apart in one place for all providers, `agents/pydantic/responses/thoughts.py`. The
library knows them only where a tag is a piece of its own, so it is given tags that no text has."""
SERVER_PROFILE: Final = OpenAIModelProfile(**PROFILE, openai_supports_strict_tool_definition=False)
"""Of servers that only speak OpenAI's protocol: few know `strict`, and some refuse what they do not know."""


def opener(model_id: str, models: Models, settings: ModelSettings) -> OpenModel:
    """Opens this model with a client of its own, which belongs to the run's event loop and is closed with the run.

    Raises `ConfigurationError` where OpenAI itself is to be asked without a key.
    """
    base_url = models.base_url_of(OPENAI)
    key = (models.key_of(OPENAI) or "none") if base_url else models.required_key(OPENAI)
    asked, timeout = chat_settings(settings), client_timeout(settings)
    profile = profile_of(settings, SERVER_PROFILE if base_url else PROFILE)

    @asynccontextmanager
    async def open_model() -> AsyncIterator[Model]:
        # The agent itself makes a request again, where its user sees it.
        async with openai.AsyncOpenAI(
            api_key=key, base_url=base_url, timeout=timeout, max_retries=0, http_client=chat_http_client()
        ) as client:
            # Another server is not assumed to know OpenAI's own extensions.
            provider = (
                OpenAICompatibleProvider("openai-compatible", openai_client=client)
                if base_url
                else OpenAIProvider(openai_client=client)
            )
            yield OpenAIChatModel(model_id, provider=provider, profile=profile, settings=asked)

    return open_model
