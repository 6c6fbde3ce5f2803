"""The settings of each function, from its environment variables. Only composition roots read them, by these models."""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from dayfly.errors import ConfigurationError


class Isolation(StrEnum):
    """Whose runs may share a Lambda environment: the template's parameter of this name."""

    USER = "user"
    TENANT = "tenant"
    NONE = "none"


Required = Annotated[str, Field(min_length=1)]
Secret = Annotated[str, Field(repr=False)]


class Settings(BaseModel):
    """The settings of all functions. A field has the name of its environment variable in lower case."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    powertools_service_name: str = "dayfly"
    powertools_log_level: str = "INFO"

    @classmethod
    def read(cls, environ: Mapping[str, str]) -> Self:
        """The settings from environment variables.

        Raises:
            ConfigurationError: Some are missing or wrong; the message names all of them.
        """
        told = {field: environ[field.upper()] for field in cls.model_fields if field.upper() in environ}
        try:
            return cls.model_validate(told)
        except ValidationError as error:
            reasons = (f"{str(one['loc'][0]).upper()}: {one['msg']}" for one in error.errors())
            raise ConfigurationError(f"environment: {'; '.join(reasons)}") from error


class AuthorizerSettings(Settings):
    """Whose tokens are accepted. `jwt_audience` may be several, with commas between them; an empty `jwt_jwks_url` is
    discovered from the issuer; an empty `tenant_claim` makes every user a tenant of their own; `context_claims` are the
    names of the claims that agents may know, with commas between them."""

    jwt_issuer: Required
    jwt_audience: Annotated[str, Field(pattern=r"[^,\s]")]
    jwt_jwks_url: str = ""
    tenant_claim: str = ""
    context_claims: str = ""

    @property
    def audiences(self) -> tuple[str, ...]:
        """The accepted audiences; at least one."""
        return _names(self.jwt_audience)

    @property
    def chosen_claims(self) -> tuple[str, ...]:
        """The names of the claims that agents may know."""
        return _names(self.context_claims)


def _names(text: str) -> tuple[str, ...]:
    return tuple(name for one in text.split(",") if (name := one.strip()))


class BackendSettings(Settings):
    """The settings of every function that reaches the table and the engine."""

    table_name: Required
    isolation: Isolation = Isolation.USER


class ConnectionSettings(BackendSettings):
    """The table, and what a warm-up needs. `warm_up` is `on` or `off`."""

    engine_function: Required
    warm_up: bool = True


class RouterSettings(BackendSettings):
    """The table, and the engine to start. The management API's endpoint is read by boto3 itself
    (`AWS_ENDPOINT_URL_APIGATEWAYMANAGEMENTAPI`)."""

    engine_function: Required


class EngineSettings(BackendSettings):
    """The table, the model and the agents. Lambda itself tells a function its own name, which the engine invokes to
    hand over.

    `run_seconds` is how long a run may take over all of its engines, `approval_seconds` how long it waits for its user,
    `show_reasoning` (`on` or `off`) whether clients are told what models reason, and `agents_package` the package whose
    modules are the agents. `agent_secrets` is the ARN of a secret of Secrets
    Manager and `agent_parameters` a path of Parameter Store, with a slash at its end; `dotenv_file`, which is set on a
    developer's machine alone, is the path of a `.env` file.

    The keys of providers stand in the environment on a developer's machine alone. There the AWS credentials of all else
    are made up, so Bedrock has a profile, or keys, and a region of its own.
    """

    aws_lambda_function_name: Required
    run_seconds: Annotated[int, Field(ge=1)] = 3600
    approval_seconds: Annotated[int, Field(ge=1)] = 3600
    model: Required = "demo"
    model_base_url: str = ""
    model_api_version: str = ""
    model_settings: str = ""
    model_key_secret: str = ""
    model_key_parameter: str = ""
    show_reasoning: bool = True
    openai_api_key: Secret = ""
    anthropic_api_key: Secret = ""
    gemini_api_key: Secret = ""
    google_api_key: Secret = ""
    azure_openai_api_key: Secret = ""
    azure_openai_endpoint: str = ""
    openai_api_version: str = ""
    bedrock_profile: str = ""
    bedrock_region: str = ""
    bedrock_access_key_id: Secret = ""
    bedrock_secret_access_key: Secret = ""
    bedrock_session_token: Secret = ""
    agents_package: Required = "agents"
    agent_secrets: str = ""
    agent_parameters: Annotated[str, Field(pattern=r"^(/.+/)?$")] = ""
    dotenv_file: str = ""

    def key(self, names: Iterable[str]) -> str:
        """The first key with one of these names that the environment has; empty if it has none."""
        return next((key for name in names if (key := str(getattr(self, name.lower())).strip())), "")


class RecoverySettings(BackendSettings):
    """The table, and the engine to start again."""

    engine_function: Required
