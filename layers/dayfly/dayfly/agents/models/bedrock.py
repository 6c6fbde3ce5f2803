"""`MODEL=bedrock:<id>`: Amazon Bedrock's ConverseStream.

boto3 blocks, so the library reads the stream in threads; on cancellation it shuts the socket down, which wakes the
reader at once. A request that is cancelled before its response has begun leaves its thread behind until the response
begins, which is then closed, or until the client's read time-out: set one on the client.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from pydantic import JsonValue
from pydantic_ai.models import Model
from pydantic_ai.models.bedrock import BedrockConverseModel, BedrockModelSettings
from pydantic_ai.providers.bedrock import BedrockProvider

from dayfly.agents.models.factory import Models
from dayfly.agents.models.request_settings import add_common, profile_of, thinking_budget
from dayfly.agents.pydantic.agent import OpenModel
from dayfly.agents.sdk.settings import ModelSettings
from dayfly.errors import ConfigurationError


def opener(model_id: str, models: Models, settings: ModelSettings) -> OpenModel:
    """Opens this model or inference profile. Raises `ConfigurationError` without a client."""
    if models.bedrock is None:
        raise ConfigurationError(models.no_bedrock)
    client, asked = models.bedrock, _settings(model_id, settings)

    @asynccontextmanager
    async def open_model() -> AsyncIterator[Model]:
        provider = BedrockProvider(bedrock_client=client)
        yield BedrockConverseModel(model_id, provider=provider, profile=profile_of(settings), settings=asked)

    return open_model


def _settings(model_id: str, settings: ModelSettings) -> BedrockModelSettings:
    told = BedrockModelSettings()
    add_common(told, settings)
    body: dict[str, JsonValue] = {}
    if (budget := thinking_budget(settings)) is not None:
        if "anthropic." not in model_id:
            raise ConfigurationError("the setting thinking is an effort such as `low` with this model, not tokens")
        body["thinking"] = {"type": "enabled", "budget_tokens": budget}
    # Converse's own place for what only some models know: additionalModelRequestFields.
    body |= dict(settings.extra_body or {})
    if body:
        told["bedrock_additional_model_requests_fields"] = body
    return told
