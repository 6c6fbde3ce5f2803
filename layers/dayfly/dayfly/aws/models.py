"""Access to the agents' models: keys from where they are kept, addresses, settings, and Bedrock's client."""

import json
import os
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING

import boto3
from botocore.exceptions import BotoCoreError, ClientError
from pydantic import JsonValue

from dayfly.agents.models.factory import AZURE, KEYS, Models, needs_bedrock
from dayfly.agents.models.request_settings import silence_of
from dayfly.agents.sdk.settings import ModelSettings
from dayfly.aws.calls import client_config
from dayfly.aws.settings import EngineSettings
from dayfly.errors import ConfigurationError

if TYPE_CHECKING:
    from mypy_boto3_bedrock_runtime import BedrockRuntimeClient
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_ssm import SSMClient


def models_for(names: Iterable[str], settings: EngineSettings) -> Models:
    """Access to the models with these names. Read once per process.

    Raises:
        ConfigurationError: The key is named in the settings and could not be read, or a setting is wrong.
    """
    asked = model_settings(settings)
    bedrock = _bedrock(settings, asked) if any(map(needs_bedrock, names)) else "there is no Bedrock client"
    return Models(
        bedrock=None if isinstance(bedrock, str) else bedrock,
        no_bedrock=bedrock if isinstance(bedrock, str) else "",
        keys=model_keys(settings),
        base_urls=model_base_urls(settings),
        api_version=settings.model_api_version or settings.openai_api_version or None,
        settings=asked,
    )


def model_settings(settings: EngineSettings) -> ModelSettings:
    """The deployment's settings of its models.

    Raises:
        ConfigurationError: They are wrong; the message names the field.
    """
    try:
        return ModelSettings.from_json(settings.model_settings)
    except ConfigurationError as error:
        raise ConfigurationError(f"MODEL_SETTINGS: {error}") from error


def model_keys(settings: EngineSettings) -> dict[str, str]:
    """The keys by provider: those of the secret or the parameter, and for the others those of the environment.

    What is kept is one key, for the provider of `MODEL` (for each provider, where that takes none), or a JSON object of
    keys by their names.

    Raises:
        ConfigurationError: What is kept could not be read, or has no key in it. The message does not say where it is
            kept, nor anything of it.
    """
    keys = {provider: settings.key(names) for provider, names in KEYS.items()}
    kept = _kept_key(settings)
    if kept:
        try:
            keys |= _by_provider(kept, settings, _keys_of)
        except ConfigurationError as error:
            raise ConfigurationError(f"the model's key: {error}") from None  # the cause would hold the key
    return {provider: key for provider, key in keys.items() if key}


def model_base_urls(settings: EngineSettings) -> dict[str, str]:
    """Where providers are asked instead of at their own addresses: one URL, as one key, or a JSON object by provider.

    Raises:
        ConfigurationError: It is an object of something else.
    """
    urls = {AZURE: settings.azure_openai_endpoint}
    if settings.model_base_url.strip():
        try:
            urls |= _by_provider(settings.model_base_url, settings, _urls_of)
        except ConfigurationError as error:
            raise ConfigurationError(f"MODEL_BASE_URL: {error}") from error
    return {provider: url for provider, url in urls.items() if url}


def _kept_key(settings: EngineSettings) -> str | None:
    try:
        if settings.model_key_secret:
            return _secret(settings.model_key_secret)
        if settings.model_key_parameter:
            return _parameter(settings.model_key_parameter)
    except (ClientError, BotoCoreError) as error:
        raise ConfigurationError("the model's key could not be read") from error
    return None


def _by_provider(
    text: str, settings: EngineSettings, read: Callable[[Mapping[str, str]], dict[str, str]]
) -> dict[str, str]:
    text = text.strip()
    if not text.startswith("{"):
        default = settings.model.partition(":")[0]
        return {default: text} if default in KEYS else dict.fromkeys(KEYS, text)
    try:
        told: JsonValue = json.loads(text)
    except ValueError:
        raise ConfigurationError("it is no JSON object") from None
    assert isinstance(told, dict)  # noqa: S101  what begins with a brace is an object, or no JSON
    # What else a secret holds (a port, say) is no matter of ours.
    return read({name: value.strip() for name, value in told.items() if isinstance(value, str)})


def _keys_of(told: Mapping[str, str]) -> dict[str, str]:
    found = {}
    for provider, names in KEYS.items():
        if key := next((told[name] for name in names if told.get(name)), None):
            found[provider] = key
    if not found:
        raise ConfigurationError(
            f"its object has none of {', '.join(name for names in KEYS.values() for name in names)}"
        )
    return found


def _urls_of(told: Mapping[str, str]) -> dict[str, str]:
    if unknown := sorted(told.keys() - KEYS.keys()):
        raise ConfigurationError(f"its object names {', '.join(unknown)}; providers are {', '.join(KEYS)}")
    if not all(told.values()):
        raise ConfigurationError("an address is missing")
    return dict(told)


def _secret(name: str) -> str:
    client: SecretsManagerClient = boto3.client("secretsmanager", config=client_config())
    return client.get_secret_value(SecretId=name)["SecretString"].strip()


def _parameter(name: str) -> str:
    client: SSMClient = boto3.client("ssm", config=client_config())
    return client.get_parameter(Name=name, WithDecryption=True)["Parameter"]["Value"].strip()


def _bedrock(settings: EngineSettings, asked: ModelSettings) -> "BedrockRuntimeClient | str":
    """Process-lived; signs with the function's own credentials, or with those that are for models alone. A text says
    why there is none: this breaks the agents that want one, and not others.

    It does not retry: what may pass is tried again by the run, where its user can see it.
    """
    try:
        session = boto3.Session(
            profile_name=settings.bedrock_profile or None,
            region_name=settings.bedrock_region or None,
            aws_access_key_id=settings.bedrock_access_key_id or None,
            aws_secret_access_key=settings.bedrock_secret_access_key or None,
            aws_session_token=settings.bedrock_session_token or None,
        )
        if not os.environ.get("AWS_BEARER_TOKEN_BEDROCK"):  # Bedrock's own kind of key, which boto3 reads itself
            credentials = session.get_credentials()
            if credentials is None:
                return (
                    "there are no AWS credentials: set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or "
                    "AWS_BEARER_TOKEN_BEDROCK, in the environment or in .env"
                )
            credentials.get_frozen_credentials()  # a profile may need a login first
        silence_s = silence_of(asked)
        return session.client("bedrock-runtime", config=client_config(read_timeout=silence_s, attempts=1))
    except BotoCoreError as error:
        return f"Bedrock cannot be asked: {' '.join(str(error).split())}"
