"""`MODEL=bedrock:<id>`: Amazon Bedrock's ConverseStream.

boto3 blocks, so the library reads the stream in threads; on cancellation it shuts the socket down, which wakes the
reader at once. A request that is cancelled before its response has begun leaves its thread behind until the response
begins, which is then closed, or until the client's read time-out: set one on the client.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from pydantic_ai.models import Model
from pydantic_ai.models.bedrock import BedrockConverseModel
from pydantic_ai.providers.bedrock import BedrockProvider

from dayfly.agents.models.factory import Models
from dayfly.agents.pydantic.agent import OpenModel
from dayfly.errors import ConfigurationError


def opener(model_id: str, models: Models) -> OpenModel:
    """Opens this model or inference profile. Raises `ConfigurationError` without a client."""
    if models.bedrock is None:
        raise ConfigurationError(f"MODEL is bedrock:{model_id}, but there is no Bedrock client")
    client = models.bedrock

    @asynccontextmanager
    async def open_model() -> AsyncIterator[Model]:
        yield BedrockConverseModel(model_id, provider=BedrockProvider(bedrock_client=client))

    return open_model
