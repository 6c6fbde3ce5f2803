"""The model's key, from where it is kept: never from the plain environment."""

from typing import TYPE_CHECKING

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from dayfly.aws.calls import client_config
from dayfly.aws.settings import EngineSettings
from dayfly.errors import ConfigurationError

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_ssm import SSMClient


def model_key(settings: EngineSettings) -> str | None:
    """The key of Secrets Manager's secret, else of SSM's parameter, else `None` where neither is named. Read once per
    process. Raises `ConfigurationError`, without the key's place in clients' sight."""
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
