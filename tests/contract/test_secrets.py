"""Secrets and settings are read from Secrets Manager and Parameter Store (moto), and from a `.env` file."""

import json
import traceback
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import boto3
import pytest

from dayfly.agents.secrets import SecretStore, SecretUnavailable
from dayfly.aws import secrets as adapter
from dayfly.aws.secrets import secret_store
from dayfly.aws.settings import EngineSettings
from dayfly.errors import ConfigurationError
from tests.contract.backends import moto_server

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_ssm import SSMClient

PATH = "/dayfly/agents/"


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with moto_server() as address:
        urllib.request.urlopen(f"{address}/moto-api/reset", data=b"").close()
        for name, value in {
            "AWS_ACCESS_KEY_ID": "x",
            "AWS_SECRET_ACCESS_KEY": "x",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_ENDPOINT_URL": address,
        }.items():
            monkeypatch.setenv(name, value)
        yield


@pytest.fixture
def manager() -> "Iterator[SecretsManagerClient]":
    client = boto3.client("secretsmanager")
    yield client
    client.close()


@pytest.fixture
def ssm() -> "Iterator[SSMClient]":
    client = boto3.client("ssm")
    yield client
    client.close()


def store(*, secret: str = "", path: str = "", file: str = "") -> SecretStore:
    return secret_store(
        EngineSettings(
            table_name="t",
            aws_lambda_function_name="engine",
            agent_secrets=secret,
            agent_parameters=path,
            dotenv_file=file,
        )
    )


def test_pairs_as_the_console_makes_them(manager: "SecretsManagerClient") -> None:
    """Each key is a secret, with its value as it is; a number or an object of another writer is its JSON. None is a
    setting."""
    pairs = {"STRIPE_KEY": " sk_1\n", "PORT": 5432, "NESTED": {"a": 1}, "EMPTY": "", "NULL": None}
    kept = store(secret=manager.create_secret(Name="agents", SecretString=json.dumps(pairs))["ARN"])
    assert kept.secret("STRIPE_KEY", fresh=False) == " sk_1\n"
    assert kept.secret("PORT", fresh=False) == "5432"
    assert kept.secret("NESTED", fresh=False) == '{"a": 1}'
    assert kept.secret("EMPTY", fresh=False) == ""
    assert kept.secret("NULL", fresh=False) is None
    assert kept.secret("OTHER", fresh=False) is None
    assert kept.setting("STRIPE_KEY", fresh=False) is None


@pytest.mark.parametrize("value", ["sk_live_plain", '["sk_live_list"]', '"sk_live_text"', "{sk_live_broken"])
def test_a_secret_without_pairs_is_told(manager: "SecretsManagerClient", value: str) -> None:
    """Plain text or another JSON is refused in words that do not have it, nor does the traceback."""
    kept = store(secret=manager.create_secret(Name="agents", SecretString=value)["ARN"])
    with pytest.raises(SecretUnavailable, match="does not hold key/value pairs") as raised:
        kept.secret("STRIPE_KEY", fresh=False)
    assert "sk_live" not in "".join(traceback.format_exception(raised.value))


def test_a_binary_secret_is_told(manager: "SecretsManagerClient") -> None:
    """It has no keys."""
    kept = store(secret=manager.create_secret(Name="agents", SecretBinary=b'{"A": "1"}')["ARN"])
    with pytest.raises(SecretUnavailable, match="does not hold key/value pairs"):
        kept.secret("A", fresh=False)


def test_a_secret_that_is_not_there_is_no_missing_name() -> None:
    """A wrong ARN is told as what it is, by AWS's name of the error."""
    arn = "arn:aws:secretsmanager:us-east-1:123456789012:secret:none-AbCdEf"
    with pytest.raises(SecretUnavailable, match="could not be read: ResourceNotFoundException"):
        store(secret=arn).secret("A", fresh=False)


def test_parameters_below_the_path(ssm: "SSMClient") -> None:
    """A SecureString is a secret, decrypted; a String and a StringList are settings; each is refused as the other."""
    ssm.put_parameter(Name=f"{PATH}STRIPE_KEY", Value="sk_2", Type="SecureString")
    ssm.put_parameter(Name=f"{PATH}SHOP_URL", Value="https://shop.example", Type="String")
    ssm.put_parameter(Name=f"{PATH}SHOPS", Value="kiel,bonn", Type="StringList")
    ssm.put_parameter(Name="/dayfly/other", Value="sk_3", Type="SecureString")
    kept = store(path=PATH)
    assert kept.secret("STRIPE_KEY", fresh=False) == "sk_2"
    assert kept.setting("SHOP_URL", fresh=False) == "https://shop.example"
    assert kept.setting("SHOPS", fresh=False) == "kiel,bonn"
    assert kept.secret("NONE", fresh=False) is None
    assert kept.setting("NONE", fresh=False) is None
    with pytest.raises(SecretUnavailable, match="SHOP_URL is a String: a secret is kept as a SecureString"):
        kept.secret("SHOP_URL", fresh=False)
    with pytest.raises(SecretUnavailable, match="STRIPE_KEY is a SecureString: a setting is kept as a String"):
        kept.setting("STRIPE_KEY", fresh=False)


def test_a_rotated_value_is_seen(
    manager: "SecretsManagerClient", ssm: "SSMClient", monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without being asked for, once the kept one is five minutes old; at once where a fresh one is asked for."""
    assert adapter.MAX_AGE_S == 300
    arn = manager.create_secret(Name="agents", SecretString='{"A": "old-a"}')["ARN"]
    ssm.put_parameter(Name=f"{PATH}B", Value="old-b", Type="SecureString")
    kept = store(secret=arn, path=PATH)

    def read(*, fresh: bool = False) -> tuple[str | None, str | None]:
        return kept.secret("A", fresh=fresh), kept.secret("B", fresh=fresh)

    def rotate(word: str) -> None:
        manager.put_secret_value(SecretId=arn, SecretString=json.dumps({"A": f"{word}-a"}))
        ssm.put_parameter(Name=f"{PATH}B", Value=f"{word}-b", Type="SecureString", Overwrite=True)

    assert read() == ("old-a", "old-b")
    rotate("new")
    assert read() == ("old-a", "old-b")
    assert read(fresh=True) == ("new-a", "new-b")
    assert read() == ("new-a", "new-b")
    monkeypatch.setattr(adapter, "MAX_AGE_S", 0)  # what is read from here on is old at once
    assert read(fresh=True) == ("new-a", "new-b")
    kept = store(secret=arn, path=PATH)
    assert read() == ("new-a", "new-b")
    rotate("newest")
    assert read() == ("newest-a", "newest-b")


def test_the_places_are_asked_in_their_order(manager: "SecretsManagerClient", ssm: "SSMClient", tmp_path: Path) -> None:
    """The file before Secrets Manager, and that before Parameter Store; a change of the file is seen at once."""
    arn = manager.create_secret(Name="agents", SecretString='{"A": "manager", "B": "manager"}')["ARN"]
    for name in "ABC":
        ssm.put_parameter(Name=f"{PATH}{name}", Value="store", Type="SecureString")
    file = tmp_path / ".env"
    file.write_text("A=file\n")
    kept = store(secret=arn, path=PATH, file=str(file))
    assert [kept.secret(name, fresh=False) for name in "ABC"] == ["file", "manager", "store"]
    assert kept.setting("A", fresh=False) == "file"
    file.write_text("A=changed\n")
    assert kept.secret("A", fresh=False) == "changed"
    assert kept.places.startswith("the file .env, then the Secrets Manager secret")


def test_nothing_is_set_up() -> None:
    """Then there is nothing, and who misses something reads which settings there are."""
    assert store().secret("A", fresh=False) is None
    assert "neither AGENT_SECRETS nor AGENT_PARAMETERS" in store().places


@pytest.mark.parametrize("path", ["dayfly/", "/dayfly", "/", "x"])
def test_a_path_that_is_none_stops_the_start(path: str) -> None:
    """It begins and ends with a slash."""
    with pytest.raises(ConfigurationError, match="AGENT_PARAMETERS"):
        EngineSettings.read({"TABLE_NAME": "t", "AWS_LAMBDA_FUNCTION_NAME": "e", "AGENT_PARAMETERS": path})


def test_a_service_that_does_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is told by the kind of error, not as a missing name."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    with pytest.raises(SecretUnavailable, match="could not be read: EndpointConnectionError"):
        store(path=PATH).secret("A", fresh=False)
