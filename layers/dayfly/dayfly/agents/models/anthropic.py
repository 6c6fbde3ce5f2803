"""`MODEL=anthropic:<id>`: Anthropic's Messages."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anthropic
from pydantic_ai.models import Model
from pydantic_ai.models.anthropic import AnthropicModel, AnthropicModelSettings
from pydantic_ai.profiles.anthropic import anthropic_model_profile
from pydantic_ai.providers.anthropic import AnthropicProvider

from dayfly.agents.models.factory import ANTHROPIC, Models
from dayfly.agents.models.request_settings import (
    CONNECT_SECONDS,
    add_common,
    profile_of,
    silence_of,
    thinking_budget,
)
from dayfly.agents.pydantic.agent import OpenModel
from dayfly.agents.sdk.settings import ModelSettings
from dayfly.errors import ConfigurationError


def opener(model_id: str, models: Models, settings: ModelSettings) -> OpenModel:
    """Opens this model with a client of its own, which belongs to the run's event loop and is closed with the run.

    Raises `ConfigurationError` without a key.
    """
    key, base_url, asked = models.required_key(ANTHROPIC), models.base_url_of(ANTHROPIC), _settings(model_id, settings)
    timeout = anthropic.Timeout(silence_of(settings), connect=CONNECT_SECONDS)

    @asynccontextmanager
    async def open_model() -> AsyncIterator[Model]:
        async with anthropic.AsyncAnthropic(api_key=key, base_url=base_url, timeout=timeout, max_retries=0) as client:
            provider = AnthropicProvider(anthropic_client=client)
            yield AnthropicModel(model_id, provider=provider, profile=profile_of(settings), settings=asked)

    return open_model


def _settings(model_id: str, settings: ModelSettings) -> AnthropicModelSettings:
    told = AnthropicModelSettings()
    add_common(told, settings)
    if (budget := thinking_budget(settings)) is not None:
        if (anthropic_model_profile(model_id) or {}).get("anthropic_disallows_budget_thinking"):
            raise ConfigurationError("the setting thinking is an effort such as `low` with this model, not tokens")
        told["anthropic_thinking"] = {"type": "enabled", "budget_tokens": budget}
    if settings.extra_body is not None:
        told["extra_body"] = dict(settings.extra_body)
    return told
