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

from dayfly.agents.models.factory import Models
from dayfly.agents.models.openai_transport import chat_http_client
from dayfly.agents.pydantic.agent import OpenModel
from dayfly.errors import ConfigurationError

CONNECT_SECONDS: Final = 10.0
SILENCE_SECONDS: Final = 120.0
"""How long a model may be silent before its connection counts as lost."""

PROFILE: Final = OpenAIModelProfile(thinking_tags=("\0", "\0"))
"""Thoughts between tags are told apart in one place for all providers, `agents/pydantic/thoughts.py`: the library,
which knows them only where a tag is a piece of its own, is given tags that no text has."""
SERVER_PROFILE: Final = OpenAIModelProfile(**PROFILE, openai_supports_strict_tool_definition=False)
"""Of servers that only speak OpenAI's protocol: few know `strict`, and some refuse what they do not know."""


def opener(model_id: str, models: Models) -> OpenModel:
    """Opens this model with a client of its own, which belongs to the run's event loop and is closed with the run.

    Raises `ConfigurationError` where OpenAI itself is to be asked without a key.
    """
    if not models.api_key and not models.base_url:
        raise ConfigurationError(f"MODEL is openai:{model_id}, but there is no key")
    key, base_url = models.api_key or "none", models.base_url

    @asynccontextmanager
    async def open_model() -> AsyncIterator[Model]:
        timeout = openai.Timeout(SILENCE_SECONDS, connect=CONNECT_SECONDS)
        # The agent itself makes a request again, where its user sees it.
        async with openai.AsyncOpenAI(
            api_key=key, base_url=base_url, timeout=timeout, max_retries=0, http_client=chat_http_client()
        ) as client:
            # Another server is not assumed to know OpenAI's own extensions.
            yield OpenAIChatModel(
                model_id,
                provider=OpenAICompatibleProvider("openai-compatible", openai_client=client)
                if base_url
                else OpenAIProvider(openai_client=client),
                profile=SERVER_PROFILE if base_url else PROFILE,
            )

    return open_model
