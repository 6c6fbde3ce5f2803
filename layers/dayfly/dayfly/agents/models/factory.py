"""From the `MODEL` setting to a model that can be opened for a run."""

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol, cast

from dayfly.agents.pydantic.agent import OpenModel
from dayfly.errors import ConfigurationError

if TYPE_CHECKING:
    from mypy_boto3_bedrock_runtime import BedrockRuntimeClient

DEMO: Final = "demo"
BEDROCK: Final = "bedrock"
OPENAI: Final = "openai"

ModelFactory = Callable[[str], OpenModel]
"""Takes a `MODEL` setting; raises `ConfigurationError` for one that it cannot serve."""

PROVIDERS: Final = {
    DEMO: "dayfly.agents.demo.model",
    BEDROCK: "dayfly.agents.models.bedrock",
    OPENAI: "dayfly.agents.models.openai",
}
"""The module of each provider; it has an `opener`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Models:
    """Serves the `MODEL` setting: `demo`, `bedrock:<model or inference profile id>`, `openai:<model id>`.

    Process-lived. Clients that belong to an event loop are made and closed per run.

    Attributes:
        bedrock: A boto3 client, which runs share: it signs with the function's own credentials, is thread-safe, and
            keeps nothing of a request but pooled connections.
        api_key: OpenAI's key itself (from Secrets Manager or SSM).
        base_url: Another server of the same protocol for `openai:`, such as Ollama or vLLM, which may need no key.
    """

    bedrock: "BedrockRuntimeClient | None" = None
    api_key: str | None = None
    base_url: str | None = None

    def __call__(self, setting: str) -> OpenModel:
        """The model's factory.

        Call it at start: it loads the provider's module, and only that one (OpenAI's client alone takes half as long to
        import as all the rest), so a missing library is seen before the first run.

        Raises:
            ConfigurationError: The setting is unknown, or its client or key is missing.
        """
        provider, _, model_id = setting.partition(":")
        if provider not in PROVIDERS or bool(model_id.strip()) == (provider == DEMO):
            raise ConfigurationError(
                f"MODEL is {setting!r}; it can be `demo`, `bedrock:<model id>` or `openai:<model id>`"
            )
        module = cast("_Provider", importlib.import_module(PROVIDERS[provider]))
        return module.opener(model_id.strip(), self)


class _Provider(Protocol):
    """What a provider's module has."""

    def opener(self, model_id: str, models: Models) -> OpenModel: ...


def needs_bedrock(setting: str) -> bool:
    """Whether this `MODEL` setting takes a Bedrock client."""
    return setting.partition(":")[0] == BEDROCK
