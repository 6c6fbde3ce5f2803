"""From the `MODEL` setting to a model that can be opened for a run."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import openai
from pydantic_ai.models import Model
from pydantic_ai.models.bedrock import BedrockConverseModel
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.providers.bedrock import BedrockProvider
from pydantic_ai.providers.openai import OpenAIProvider
from pydantic_ai.providers.openai_compatible import OpenAICompatibleProvider

from dayfly.agents.demo import demo_model
from dayfly.agents.pydantic_agent import OpenModel
from dayfly.errors import ConfigurationError

if TYPE_CHECKING:
    from mypy_boto3_bedrock_runtime import BedrockRuntimeClient

DEMO: Final = "demo"
BEDROCK: Final = "bedrock:"
OPENAI: Final = "openai:"

CONNECT_SECONDS: Final = 10.0
SILENCE_SECONDS: Final = 120.0
"""How long a model may be silent before its connection counts as lost."""

ModelFactory = Callable[[str], OpenModel]
"""Takes a `MODEL` setting; raises `ConfigurationError` for one that it cannot serve."""


def needs_bedrock(setting: str) -> bool:
    """Whether this `MODEL` setting takes a Bedrock client."""
    return setting.startswith(BEDROCK)


def needs_key(setting: str) -> bool:
    """Whether this `MODEL` setting may take a key."""
    return setting.startswith(OPENAI)


@dataclass(frozen=True, slots=True, kw_only=True)
class Models:
    """Serves the `MODEL` setting: `demo`, `bedrock:<model or inference profile id>`, `openai:<model id>`.

    Process-lived. What runs share is `bedrock`, a boto3 client: it signs with the function's own credentials, is
    thread-safe, and keeps nothing of a request but pooled connections. Clients that belong to an event loop are made
    and closed per run. `api_key` is a value (from Secrets Manager or SSM); `base_url` points `openai:` to another
    server that speaks the same protocol, such as Ollama or vLLM, which may need no key.
    """

    bedrock: "BedrockRuntimeClient | None" = None
    api_key: str | None = None
    base_url: str | None = None

    def __call__(self, setting: str) -> OpenModel:
        """The model's factory. Raises `ConfigurationError` for an unknown setting, or one whose client is missing."""
        if setting == DEMO:
            return _open_demo
        if model_id := _rest(setting, BEDROCK):
            return self._bedrock(model_id)
        if model_id := _rest(setting, OPENAI):
            return self._openai(model_id)
        raise ConfigurationError(f"MODEL is {setting!r}; it can be `demo`, `bedrock:<model id>` or `openai:<model id>`")

    def _bedrock(self, model_id: str) -> OpenModel:
        if self.bedrock is None:
            raise ConfigurationError(f"MODEL is bedrock:{model_id}, but there is no Bedrock client")
        client = self.bedrock

        @asynccontextmanager
        async def open_model() -> AsyncIterator[Model]:
            yield BedrockConverseModel(model_id, provider=BedrockProvider(bedrock_client=client))

        return open_model

    def _openai(self, model_id: str) -> OpenModel:
        if not self.api_key and not self.base_url:
            raise ConfigurationError(f"MODEL is openai:{model_id}, but there is no key")
        key, base_url = self.api_key or "none", self.base_url

        @asynccontextmanager
        async def open_model() -> AsyncIterator[Model]:
            timeout = openai.Timeout(SILENCE_SECONDS, connect=CONNECT_SECONDS)
            async with openai.AsyncOpenAI(api_key=key, base_url=base_url, timeout=timeout, max_retries=2) as client:
                # Another server is not assumed to know OpenAI's own extensions.
                yield OpenAIChatModel(
                    model_id,
                    provider=OpenAICompatibleProvider("openai-compatible", openai_client=client)
                    if base_url
                    else OpenAIProvider(openai_client=client),
                )

        return open_model


@asynccontextmanager
async def _open_demo() -> AsyncIterator[Model]:
    yield demo_model()


def _rest(setting: str, prefix: str) -> str:
    return setting.removeprefix(prefix).strip() if setting.startswith(prefix) else ""
