"""Access to the agents' models: the key, from where it is kept (never the plain environment), and Bedrock's client."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from dayfly.agents.models.factory import Models, needs_bedrock
from dayfly.aws.calls import client_config
from dayfly.aws.settings import EngineSettings
from dayfly.errors import ConfigurationError

if TYPE_CHECKING:
    from mypy_boto3_bedrock_runtime import BedrockRuntimeClient
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_ssm import SSMClient

_SILENCE_S: Final = 120.0
"""How long a model may be silent before its connection counts as lost."""


def models_for(names: Iterable[str], settings: EngineSettings) -> Models:
    """Access to the models with these names. Read once per process.

    Raises:
        ConfigurationError: The key is named in the settings and could not be read.
    """
    return Models(
        bedrock=_bedrock() if any(map(needs_bedrock, names)) else None,
        api_key=model_key(settings),
        base_url=settings.model_base_url or None,
    )


def model_key(settings: EngineSettings) -> str | None:
    """The key of Secrets Manager's secret, else of SSM's parameter, else `None` where neither is named.

    Raises:
        ConfigurationError: It could not be read. The message does not say where it is kept.
    """
    try:
        if settings.model_key_secret:
            return _secret(settings.model_key_secret)
        if settings.model_key_parameter:
            return _parameter(settings.model_key_parameter)
    except (ClientError, BotoCoreError) as error:
        raise ConfigurationError("the model's key could not be read") from error
    return None


def _secret(name: str) -> str:
    client: SecretsManagerClient = boto3.client("secretsmanager", config=client_config())
    return client.get_secret_value(SecretId=name)["SecretString"].strip()


def _parameter(name: str) -> str:
    client: SSMClient = boto3.client("ssm", config=client_config())
    return client.get_parameter(Name=name, WithDecryption=True)["Parameter"]["Value"].strip()


def _bedrock() -> "BedrockRuntimeClient":
    """Process-lived; signs with the function's own credentials. It repeats nothing: the agent itself makes a request
    again, where its user sees it."""
    return boto3.client("bedrock-runtime", config=client_config(read_timeout=_SILENCE_S, attempts=1))
