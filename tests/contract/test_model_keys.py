"""The models' keys are read from Secrets Manager or SSM (moto), else from the environment."""

import json
from collections.abc import Iterator

import boto3
import pytest
from pydantic import JsonValue

from dayfly.agents.models.factory import KEYS
from dayfly.aws.models import model_base_urls, model_keys, models_for
from dayfly.aws.settings import EngineSettings
from dayfly.errors import ConfigurationError
from tests.contract.backends import moto_server


@pytest.fixture(scope="module")
def moto() -> Iterator[str]:
    with moto_server() as address:
        yield address


@pytest.fixture(autouse=True)
def _environment(moto: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "x")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_ENDPOINT_URL", moto)


def settings(**told: str) -> EngineSettings:
    required = {"TABLE_NAME": "t", "AWS_LAMBDA_FUNCTION_NAME": "engine"}
    return EngineSettings.read({**required, **{name.upper(): value for name, value in told.items()}})


def secret(name: str, text: str) -> str:
    """A new secret's ARN."""
    client = boto3.client("secretsmanager")
    arn = client.create_secret(Name=name, SecretString=text)["ARN"]
    client.close()
    return arn


def test_the_key_of_a_secret() -> None:
    """A secret's text is the key of the provider of `MODEL`, without the line end that an editor left."""
    arn = secret("model-key", "sk-1\n")
    assert model_keys(settings(model="openai:gpt", model_key_secret=arn)) == {"openai": "sk-1"}
    assert model_keys(settings(model="anthropic:claude", model_key_secret=arn)) == {"anthropic": "sk-1"}


@pytest.mark.parametrize("model", ["demo", "bedrock:x"])
def test_one_key_where_the_default_model_needs_none(model: str) -> None:
    """It is for whichever provider an agent names."""
    arn = secret(f"for-{model[:4]}", "sk-1")
    assert model_keys(settings(model=model, model_key_secret=arn)) == dict.fromkeys(KEYS, "sk-1")


def test_the_key_of_a_parameter() -> None:
    """An encrypted parameter's value is the key."""
    client = boto3.client("ssm")
    client.put_parameter(Name="/dayfly/key", Value="sk-2", Type="SecureString")
    client.close()
    assert model_keys(settings(model="google:gemini", model_key_parameter="/dayfly/key")) == {"google": "sk-2"}


def test_the_keys_of_a_secret_with_several() -> None:
    """As the console makes them: a JSON object of names and texts, of which others than keys may be among them."""
    told = {"OPENAI_API_KEY": " sk-o ", "ANTHROPIC_API_KEY": "sk-a", "GOOGLE_API_KEY": "sk-g", "PORT": 5432}
    arn = secret("model-keys", json.dumps(told))
    read = model_keys(settings(model="openai:gpt", model_key_secret=arn))
    assert read == {"openai": "sk-o", "anthropic": "sk-a", "google": "sk-g"}


def test_an_agents_own_provider_has_its_own_key() -> None:
    """The default's plain key is not sent to another provider."""
    models = models_for(["openai:gpt"], settings(model="openai:gpt", model_key_secret=secret("plain", "sk-1")))
    models("openai:gpt")
    with pytest.raises(ConfigurationError, match="ANTHROPIC_API_KEY"):
        models("anthropic:claude-opus-4-6")


@pytest.mark.parametrize("content", [{"openai": "k"}, {}, {"OPENAI_API_KEY": ""}, {"OPENAI_API_KEY": 7}, "{no json"])
def test_a_secret_without_a_key_stops_the_start(content: JsonValue) -> None:
    """The error says what names there are, and nothing of what is kept."""
    text = content if isinstance(content, str) else json.dumps(content)
    arn = secret(f"no-key-{abs(hash(text))}", text)
    with pytest.raises(ConfigurationError, match="the model's key: it") as failure:
        model_keys(settings(model="openai:gpt", model_key_secret=arn))
    assert "no json" not in str(failure.value)
    assert failure.value.__suppress_context__


def test_no_key_is_asked_for() -> None:
    """Where neither is named there is no key."""
    assert model_keys(settings()) == {}


def test_a_key_that_is_not_there_stops_the_start() -> None:
    """A named key that cannot be read is a wrong set-up, not a model without a key."""
    with pytest.raises(ConfigurationError):
        model_keys(settings(model_key_parameter="/dayfly/missing"))


def test_keys_of_the_environment() -> None:
    """Each provider's by the names that its own tools use; what is kept stands over them."""
    environment = {
        "openai_api_key": "e-o", "anthropic_api_key": "e-a", "google_api_key": "e-g", "azure_openai_api_key": "e-z",
    }  # fmt: skip
    assert model_keys(settings(**environment)) == {
        "openai": "e-o", "anthropic": "e-a", "google": "e-g", "azure": "e-z",
    }  # fmt: skip
    assert model_keys(settings(gemini_api_key="first", google_api_key="second"))["google"] == "first"
    arn = secret("over", "kept")
    assert model_keys(settings(model="openai:gpt", model_key_secret=arn, **environment))["openai"] == "kept"


def test_base_urls() -> None:
    """One URL is for the provider of `MODEL`; an object names each; Azure's endpoint has a variable of its own too."""
    url, other = "http://127.0.0.1:1/v1", "https://name.openai.azure.com"
    assert model_base_urls(settings(model="openai:x", model_base_url=url)) == {"openai": url}
    assert model_base_urls(settings(model_base_url=url)) == dict.fromkeys(KEYS, url)
    told = json.dumps({"openai": url, "azure": other})
    assert model_base_urls(settings(model="anthropic:x", model_base_url=told)) == {"openai": url, "azure": other}
    assert model_base_urls(settings(model="azure:x", azure_openai_endpoint=other)) == {"azure": other}
    for wrong in ('{"bedrock": "https://x"}', '{"openai": ""}', "{"):
        with pytest.raises(ConfigurationError, match="MODEL_BASE_URL"):
            model_base_urls(settings(model_base_url=wrong))


def test_settings_of_the_deployment() -> None:
    """They reach the models; a wrong one stops the start, with its name."""
    assert models_for([], settings(model_settings='{"max_tokens": 7}')).settings.max_tokens == 7
    with pytest.raises(ConfigurationError, match=r"MODEL_SETTINGS: .*temperature"):
        models_for([], settings(model_settings='{"temperature": 9}'))


def test_a_profile_that_does_not_exist_stops_the_start() -> None:
    """In one line."""
    models = models_for(["bedrock:x"], settings(bedrock_profile="nobody"))
    with pytest.raises(ConfigurationError, match=r"bedrock:x.*Bedrock cannot be asked.*nobody") as failure:
        models("bedrock:x")
    assert "\n" not in str(failure.value)
