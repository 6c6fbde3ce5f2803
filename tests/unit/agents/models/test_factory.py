"""The `MODEL` setting."""

import subprocess
import sys

import pytest

from dayfly.agents.models.factory import KEYS, PROVIDERS, Models, needs_bedrock
from dayfly.agents.models.request_settings import silence_of
from dayfly.agents.pydantic.failures.stall_watch import StallLimits
from dayfly.agents.sdk import ModelSettings
from dayfly.errors import ConfigurationError


@pytest.mark.parametrize("setting", ["", "gpt-5", "demo:x", "demo:", "Demo", "nonsense:x", " openai:x", "openai"])
def test_an_unknown_setting_is_refused(setting: str) -> None:
    """The error says in one line what there is."""
    with pytest.raises(ConfigurationError, match="bedrock:<model id>") as failure:
        Models()(setting)
    assert "\n" not in str(failure.value)
    assert repr(setting) in str(failure.value)


@pytest.mark.parametrize("provider", sorted(PROVIDERS.keys() - {"demo"}))
def test_a_provider_without_a_model_is_refused(provider: str) -> None:
    """Whoever is named has to be told which model."""
    for setting in (f"{provider}:", f"{provider}: "):
        with pytest.raises(ConfigurationError, match="the model's id is missing"):
            Models(api_key="k", base_url="http://127.0.0.1")(setting)


@pytest.mark.parametrize(("provider", "names"), KEYS.items())
def test_a_provider_without_its_key_is_refused(provider: str, names: tuple[str, ...]) -> None:
    """At start, not in the first run; another provider's key is not taken for it."""
    others = {other: "k" for other in KEYS if other != provider}
    with pytest.raises(ConfigurationError, match=f"there is no key: set {' or '.join(names)} ") as failure:
        Models(keys=others)(f"{provider}:some-model")
    assert "\n" not in str(failure.value)


def test_bedrock_without_a_client_is_refused() -> None:
    """It has no key, but a client."""
    with pytest.raises(ConfigurationError, match="no Bedrock client"):
        Models()("bedrock:some-model")


def test_azure_without_an_endpoint_is_refused() -> None:
    """Each resource has its own; the error says where to put it."""
    with pytest.raises(ConfigurationError, match="set AZURE_OPENAI_ENDPOINT"):
        Models(keys={"azure": "k"})("azure:our-gpt")


@pytest.mark.parametrize(
    "url", ["localhost:11434", "ftp://host/v1", "https://", "http://ho st/v1", "http://host:port", "/v1"]
)
@pytest.mark.parametrize("provider", sorted(KEYS))
def test_a_base_url_that_is_none_is_refused(provider: str, url: str) -> None:
    """At start, with what was given."""
    with pytest.raises(ConfigurationError, match="http:// or https://") as failure:
        Models(api_key="k", base_url=url)(f"{provider}:some-model")
    assert repr(url) in str(failure.value)


@pytest.mark.parametrize("provider", ["openai", "azure"])
def test_a_budget_of_thinking_is_refused_where_there_is_none(provider: str) -> None:
    """Chat Completions have an effort alone."""
    models = Models(api_key="k", base_url="http://127.0.0.1/v1")
    models(f"{provider}:some-model", ModelSettings(thinking="low"))
    with pytest.raises(ConfigurationError, match="setting thinking is an effort"):
        models(f"{provider}:some-model", ModelSettings(thinking=2048))


def test_two_settings_that_exclude_each_other_are_refused() -> None:
    """An agent's budget of thinking is compared with the deployment's limit of tokens."""
    models = Models(api_key="k", settings=ModelSettings(max_tokens=2048))
    models("google:gemini-2.5-flash", ModelSettings(thinking=2047))
    with pytest.raises(ConfigurationError, match="less than max_tokens"):
        models("google:gemini-2.5-flash", ModelSettings(thinking=2048))


def test_how_long_a_model_may_be_silent() -> None:
    """As the agent says, else the deployment, else two minutes; a client waits no shorter than that."""
    models = Models(settings=ModelSettings(silence_timeout=7))
    assert models.stalls(None) == StallLimits(first_event_s=120, silence_s=7)
    assert models.stalls(ModelSettings(first_event_timeout=300)) == StallLimits(first_event_s=300, silence_s=7)
    assert silence_of(ModelSettings(first_event_timeout=300, silence_timeout=7)) == 300
    assert silence_of(ModelSettings(first_event_timeout=1, silence_timeout=2)) == 2


async def test_the_demo_model_opens() -> None:
    """It needs nothing, and takes any settings."""
    async with Models()("demo", ModelSettings(max_tokens=1))() as model:
        assert model.model_name == "demo"


@pytest.mark.parametrize("provider", sorted(KEYS))
async def test_a_known_context_window_is_the_models(provider: str) -> None:
    """The library knows of most models; a deployment knows of its own."""
    models = Models(api_key="k", base_url="http://127.0.0.1/v1", settings=ModelSettings(context_window=8_192))
    async with models(f"{provider}:some-model")() as model:
        assert model.context_window == 8_192


def test_keys_are_not_shown() -> None:
    """A log line that shows the object has none in it."""
    assert "the-key" not in repr(Models(api_key="the-key", keys={"openai": "the-key"}))


def test_what_a_setting_needs() -> None:
    """So that the composition root makes a client only where one is needed."""
    assert (needs_bedrock("bedrock:x"), needs_bedrock("openai:x")) == (True, False)


def python(code: str) -> str:
    """What a fresh interpreter prints."""
    path = [entry for entry in sys.path if entry]
    run = subprocess.run(
        [sys.executable, "-c", f"import sys\nsys.path[:0] = {path!r}\n{code}"],
        capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    return run.stdout


CLIENTS = {
    "demo": set[str](),
    "bedrock": {"botocore"},
    "openai": {"openai"},
    "azure": {"openai"},
    "anthropic": {"anthropic"},
    "google": {"google.genai"},
}


@pytest.mark.parametrize("provider", sorted(PROVIDERS))
def test_only_the_chosen_providers_client_is_loaded(provider: str) -> None:
    """Who chose one provider pays for no other at a cold start."""
    setting = provider if provider == "demo" else f"{provider}:some-model"
    loaded = python(
        "from dayfly.agents.catalogue import Catalogue\n"
        "from dayfly.agents.sdk.definition import AgentDefinition\n"
        "from dayfly.agents.models.factory import Models\n"
        "models = Models(api_key='k', base_url='http://127.0.0.1/v1', bedrock=object())\n"
        f"Catalogue({{'a': AgentDefinition(instructions='Help.')}}, models=models, model={setting!r})\n"
        "print(*sorted({'openai', 'anthropic', 'google.genai', 'botocore'} & set(sys.modules)))"
    )
    assert set(loaded.split()) == CLIENTS[provider]


@pytest.mark.parametrize(
    ("provider", "package", "layer"),
    [
        ("openai", "openai", "openai"),
        ("azure", "openai", "openai"),
        ("anthropic", "anthropic", "anthropic"),
        ("google", "google.genai", "google"),
    ],
)
def test_a_package_that_is_not_installed_is_named(provider: str, package: str, layer: str) -> None:
    """One line says which layer, or which extra, it comes with."""
    said = python(
        f"sys.modules[{package!r}] = None\n"
        "from dayfly.agents.models.factory import Models\n"
        "from dayfly.errors import ConfigurationError\n"
        "try:\n"
        f"    Models(api_key='k', base_url='http://127.0.0.1/v1')('{provider}:some-model')\n"
        "except ConfigurationError as error:\n"
        "    print(error)"
    )
    assert len(said.splitlines()) == 1
    assert f"layers/{layer};" in said
    assert f"pydantic-ai-slim[{layer}]" in said
