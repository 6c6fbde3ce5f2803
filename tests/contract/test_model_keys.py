"""The model's key is read from Secrets Manager or SSM (moto)."""

from collections.abc import Iterator

import boto3
import pytest

from dayfly.aws.models import model_key
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


def settings(*, secret: str = "", parameter: str = "") -> EngineSettings:
    return EngineSettings(
        table_name="t", aws_lambda_function_name="engine", model_key_secret=secret, model_key_parameter=parameter
    )


def test_the_key_of_a_secret() -> None:
    """A secret's text is the key, without the line end that an editor left."""
    client = boto3.client("secretsmanager")
    arn = client.create_secret(Name="model-key", SecretString="sk-1\n")["ARN"]
    client.close()
    assert model_key(settings(secret=arn)) == "sk-1"


def test_the_key_of_a_parameter() -> None:
    """An encrypted parameter's value is the key."""
    client = boto3.client("ssm")
    client.put_parameter(Name="/dayfly/key", Value="sk-2", Type="SecureString")
    client.close()
    assert model_key(settings(parameter="/dayfly/key")) == "sk-2"


def test_no_key_is_asked_for() -> None:
    """Where neither is named there is no key."""
    assert model_key(settings()) is None


def test_a_key_that_is_not_there_stops_the_start() -> None:
    """A named key that cannot be read is a wrong set-up, not a model without a key."""
    with pytest.raises(ConfigurationError):
        model_key(settings(parameter="/dayfly/missing"))
