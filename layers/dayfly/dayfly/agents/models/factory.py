"""From the `MODEL` setting to a model that can be opened for a run."""

import importlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Protocol, cast
from urllib.parse import urlsplit

from dayfly.agents.pydantic.agent import OpenModel
from dayfly.agents.pydantic.failures.stall_watch import FIRST_EVENT_S, SILENCE_S, StallLimits
from dayfly.agents.sdk.settings import ModelSettings
from dayfly.errors import ConfigurationError

if TYPE_CHECKING:
    from mypy_boto3_bedrock_runtime import BedrockRuntimeClient

DEMO: Final = "demo"
BEDROCK: Final = "bedrock"
OPENAI: Final = "openai"
ANTHROPIC: Final = "anthropic"
GOOGLE: Final = "google"
AZURE: Final = "azure"

PROVIDERS: Final = {
    DEMO: "dayfly.agents.demo.model",
    BEDROCK: "dayfly.agents.models.bedrock",
    OPENAI: "dayfly.agents.models.openai",
    ANTHROPIC: "dayfly.agents.models.anthropic",
    GOOGLE: "dayfly.agents.models.google",
    AZURE: "dayfly.agents.models.azure",
}
"""The module of each provider; it has an `opener`."""

KEYS: Final = {
    OPENAI: ("OPENAI_API_KEY",),
    ANTHROPIC: ("ANTHROPIC_API_KEY",),
    GOOGLE: ("GEMINI_API_KEY", "GOOGLE_API_KEY"),
    AZURE: ("AZURE_OPENAI_API_KEY",),
}
"""What each provider's key is named, in the environment and in a secret of several keys; the first of them holds."""

PACKAGES: Final = {OPENAI: "openai", ANTHROPIC: "anthropic", GOOGLE: "google", AZURE: "openai"}
"""The extra of pydantic-ai-slim, and the folder of `layers/`, that a provider's client comes with."""


class ModelFactory(Protocol):
    """Takes a `MODEL` setting, and an agent's own settings; raises `ConfigurationError` for what it cannot serve."""

    def __call__(self, setting: str, settings: ModelSettings | None = None) -> OpenModel: ...

    def stalls(self, settings: ModelSettings | None) -> StallLimits:
        """How long the model of an agent with these settings may be silent."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Models:
    """Serves the `MODEL` setting: `demo`, or `<provider>:<model id>` with one of `PROVIDERS`.

    Process-lived. Clients that belong to an event loop are made and closed per run.

    Attributes:
        bedrock: A boto3 client, which runs share: it signs with the function's own credentials, is thread-safe, and
            keeps nothing of a request but pooled connections.
        no_bedrock: Why there is no such client.
        keys: The providers' keys themselves.
        api_key: The key of each provider that `keys` does not have.
        base_urls: Where a provider is asked instead of at its own address: for `openai`, another server of the same
            protocol, such as Ollama or vLLM, which may need no key; for `azure`, the resource's endpoint.
        base_url: The same for each provider that `base_urls` does not have.
        api_version: Azure's; without it the endpoint's version 1 is asked, which needs none.
        settings: The deployment's.
    """

    bedrock: "BedrockRuntimeClient | None" = None
    no_bedrock: str = "there is no Bedrock client"
    keys: Mapping[str, str] = field(default_factory=dict, repr=False)
    api_key: str | None = field(default=None, repr=False)
    base_urls: Mapping[str, str] = field(default_factory=dict)
    base_url: str | None = None
    api_version: str | None = None
    settings: ModelSettings = field(default_factory=ModelSettings)

    def __call__(self, setting: str, settings: ModelSettings | None = None) -> OpenModel:
        """The model's factory.

        Call it at start: it loads the provider's module, and only that one (OpenAI's client alone takes half as long to
        import as all the rest), so a missing library is seen before the first run.

        Raises:
            ConfigurationError: The setting is unknown, its client, key, address or package is missing, or the provider
                cannot follow one of the settings. The message is one line, and says what to set.
        """
        provider, colon, model_id = setting.partition(":")
        if provider not in PROVIDERS or bool(colon) == (provider == DEMO):
            raise ConfigurationError(f"model {setting!r}: there is no such provider; {_choice()}")
        if provider != DEMO and not model_id.strip():
            raise ConfigurationError(f"model {setting!r}: the model's id is missing; {_choice()}")
        try:
            module = cast("_Provider", importlib.import_module(PROVIDERS[provider]))
        except ImportError as error:
            raise ConfigurationError(f"model {setting!r}: {_not_installed(provider, error)}") from error
        try:
            return module.opener(model_id.strip(), self, self._over(settings))
        except ConfigurationError as error:
            raise ConfigurationError(f"model {setting!r}: {error}") from error

    def stalls(self, settings: ModelSettings | None) -> StallLimits:
        """How long the model of an agent with these settings may be silent."""
        told = self._over(settings)
        return StallLimits(
            first_event_s=told.first_event_timeout or FIRST_EVENT_S, silence_s=told.silence_timeout or SILENCE_S
        )

    def _over(self, settings: ModelSettings | None) -> ModelSettings:
        return (settings or ModelSettings()).over(self.settings)

    def key_of(self, provider: str) -> str | None:
        """The provider's key, if there is one."""
        return self.keys.get(provider) or self.api_key

    def required_key(self, provider: str) -> str:
        """The provider's key.

        Raises:
            ConfigurationError: There is none.
        """
        if key := self.key_of(provider):
            return key
        raise ConfigurationError(
            f"there is no key: set {' or '.join(KEYS[provider])} in the environment or in .env, on AWS ModelKeySecret "
            "or ModelKeyParameter"
        )

    def base_url_of(self, provider: str) -> str | None:
        """Where the provider is asked, without a slash at the end; `None` for its own address.

        Raises:
            ConfigurationError: It is no address.
        """
        url = self.base_urls.get(provider) or self.base_url
        if url is None:
            return None
        if not _is_address(url):
            raise ConfigurationError(f"the base URL is http:// or https:// and a host, not {url!r}: see MODEL_BASE_URL")
        return url.rstrip("/")


class _Provider(Protocol):
    """What a provider's module has."""

    def opener(self, model_id: str, models: Models, settings: ModelSettings) -> OpenModel: ...


def needs_bedrock(setting: str) -> bool:
    """Whether this `MODEL` setting takes a Bedrock client."""
    return setting.partition(":")[0] == BEDROCK


def _choice() -> str:
    *most, last = (provider for provider in PROVIDERS if provider != DEMO)
    return f"it can be `{DEMO}`, {', '.join(f'`{one}:<model id>`' for one in most)} or `{last}:<deployment>`"


def _not_installed(provider: str, error: ImportError) -> str:
    package = PACKAGES.get(provider, provider)
    return (
        f"its package is not installed ({' '.join(str(error).split())[:120]}): on AWS, name the provider in Model or "
        f'AgentModels, which attaches layers/{package}; elsewhere, pip install "pydantic-ai-slim[{package}]"'
    )


def _is_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return False
    del port  # read for its check alone
    return parts.scheme in {"http", "https"} and bool(parts.hostname) and not any(map(str.isspace, url))
