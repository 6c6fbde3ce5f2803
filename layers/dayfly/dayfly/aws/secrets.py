"""The `SecretStore` port: a `.env` file, Secrets Manager, and Systems Manager's Parameter Store.

What comes from AWS is kept for `MAX_AGE_S` by Powertools' providers, so a value that was rotated is seen within that
time. Sources: https://docs.aws.amazon.com/powertools/python/latest/utilities/parameters/,
https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetSecretValue.html and
https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_GetParameter.html
"""

import json
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any, Final, Protocol

import boto3
from aws_lambda_powertools.utilities.parameters import BaseProvider, SecretsProvider
from aws_lambda_powertools.utilities.parameters.exceptions import GetParameterError
from botocore.exceptions import ClientError

from dayfly.agents.secrets import SecretStore, SecretUnavailable
from dayfly.aws.calls import client_config, code_of
from dayfly.aws.dotenv import DotenvFile
from dayfly.aws.settings import EngineSettings

if TYPE_CHECKING:
    from mypy_boto3_ssm import SSMClient

MAX_AGE_S: Final = 300
"""For how many seconds a value is used without asking AWS again."""
_READ_S: Final = 3.0


class Kind(StrEnum):
    """What a value is: Parameter Store keeps the two as different types."""

    SECRET = "secret"  # noqa: S105  a word, not a secret
    SETTING = "setting"


class Source(Protocol):
    """One place where values are kept. Its call blocks."""

    place: str

    def get(self, kind: Kind, name: str, *, fresh: bool) -> str | None:
        """The value, or `None` where this place has none. Raises `SecretUnavailable`."""


class FirstOf:
    """The `SecretStore` that asks several places, in their order."""

    def __init__(self, sources: tuple[Source, ...]) -> None:
        self._sources = sources

    @property
    def places(self) -> str:
        """Where it looks."""
        names = [source.place for source in self._sources]
        return ", then ".join(names) or "no place: neither AGENT_SECRETS nor AGENT_PARAMETERS is set"

    def secret(self, name: str, *, fresh: bool) -> str | None:
        return self._get(Kind.SECRET, name, fresh=fresh)

    def setting(self, name: str, *, fresh: bool) -> str | None:
        return self._get(Kind.SETTING, name, fresh=fresh)

    def _get(self, kind: Kind, name: str, *, fresh: bool) -> str | None:
        found = (source.get(kind, name, fresh=fresh) for source in self._sources)
        return next((value for value in found if value is not None), None)


class LocalFile:
    """Secrets and settings in the developer's `.env`, which is looked at anew each time."""

    place = "the file .env"

    def __init__(self, file: DotenvFile) -> None:
        self._file = file

    def get(self, kind: Kind, name: str, *, fresh: bool) -> str | None:
        del kind, fresh
        return self._file.get(name)


class KeyValueSecret:
    """The secrets in one secret of Secrets Manager, whose value is a JSON object, as the console makes it of key/value
    pairs."""

    place = "the Secrets Manager secret that AGENT_SECRETS names"

    def __init__(self, secret_id: str) -> None:
        self._secret_id = secret_id
        self._provider: SecretsProvider | None = None
        self._lock = Lock()

    def get(self, kind: Kind, name: str, *, fresh: bool) -> str | None:
        if kind is not Kind.SECRET:
            return None
        with self._lock:  # boto3 makes no two clients at once; and who waits finds what the first has fetched
            try:
                value = self._secrets().get(self._secret_id, max_age=MAX_AGE_S, force_fetch=fresh)
            except GetParameterError as error:
                raise _unavailable(self.place, error) from _cause(error)
        return _text(self._pairs(value).get(name))

    def _secrets(self) -> SecretsProvider:
        if self._provider is None:
            self._provider = SecretsProvider(
                boto3_client=boto3.client("secretsmanager", config=client_config(read_timeout=_READ_S))
            )
        return self._provider

    def _pairs(self, value: object) -> Mapping[str, object]:
        try:
            pairs = json.loads(value) if isinstance(value, str) else None
        except ValueError:
            pairs = None
        if not isinstance(pairs, dict):
            # Without a cause: it would have the value.
            raise SecretUnavailable(f"{self.place} does not hold key/value pairs (a JSON object)")
        return pairs


class ParameterPath:
    """The parameters below one path of Parameter Store: a SecureString is a secret, a String or StringList a setting. A
    value of the other kind is refused, so that no secret passes for a setting, which nobody keeps secret."""

    place = "the parameters below the path that AGENT_PARAMETERS names"

    def __init__(self, path: str) -> None:
        self._path = path
        self._provider: _Parameters | None = None
        self._lock = Lock()

    def get(self, kind: Kind, name: str, *, fresh: bool) -> str | None:
        with self._lock:
            try:
                found = self._parameters().get(f"{self._path}{name}", max_age=MAX_AGE_S, force_fetch=fresh)
            except GetParameterError as error:
                if _code(error) == "ParameterNotFound":
                    return None
                raise _unavailable(self.place, error) from _cause(error)
        parameter = found if isinstance(found, dict) else {}
        type_, value = str(parameter["Type"]), str(parameter["Value"])
        if (type_ == "SecureString") != (kind is Kind.SECRET):
            raise SecretUnavailable(f"the parameter {name} is a {type_}: a {kind} is {_KEPT_AS[kind]}")
        return value

    def _parameters(self) -> "_Parameters":
        if self._provider is None:
            self._provider = _Parameters(boto3.client("ssm", config=client_config(read_timeout=_READ_S)))
        return self._provider


_KEPT_AS: Final = {Kind.SECRET: "kept as a SecureString", Kind.SETTING: "kept as a String"}


class _Parameters(BaseProvider):
    """Powertools' own provider gives a parameter without its type."""

    def __init__(self, client: "SSMClient") -> None:
        super().__init__(client=client)  # type: ignore[no-untyped-call]
        self._client = client

    def _get(self, name: str, **sdk_options: Any) -> dict[str, Any]:
        del sdk_options
        parameter = self._client.get_parameter(Name=name, WithDecryption=True)["Parameter"]
        return {"Type": parameter["Type"], "Value": parameter["Value"]}

    def _get_multiple(self, path: str, **sdk_options: Any) -> dict[str, str]:
        raise NotImplementedError


def secret_store(settings: EngineSettings) -> SecretStore:
    """What the settings name: the file before Secrets Manager, and that before Parameter Store."""
    sources: list[Source] = []
    if settings.dotenv_file:
        sources.append(LocalFile(DotenvFile(Path(settings.dotenv_file))))
    if settings.agent_secrets:
        sources.append(KeyValueSecret(settings.agent_secrets))
    if settings.agent_parameters:
        sources.append(ParameterPath(settings.agent_parameters))
    return FirstOf(tuple(sources))


def _text(value: object) -> str | None:
    """The console writes each value as a string; another writer's number or object is given as its JSON."""
    return value if isinstance(value, str) or value is None else json.dumps(value)


def _cause(error: GetParameterError) -> BaseException:
    # Powertools has it in the message and as the context alone.
    return error.__context__ or error


def _code(error: GetParameterError) -> str:
    cause = _cause(error)
    return code_of(cause) if isinstance(cause, ClientError) else type(cause).__name__


def _unavailable(place: str, error: GetParameterError) -> SecretUnavailable:
    return SecretUnavailable(f"{place} could not be read: {_code(error)}")
