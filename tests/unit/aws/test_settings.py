"""What functions are told by their environment."""

import pytest

from dayfly.aws.settings import AuthorizerSettings, ConnectionSettings, EngineSettings, Isolation, RouterSettings
from dayfly.errors import ConfigurationError

ENGINE = {"TABLE_NAME": "t", "AWS_LAMBDA_FUNCTION_NAME": "e"}


def test_settings_come_from_the_environments_names() -> None:
    """Each field is the environment variable of its name; what is not set has its default."""
    told = {"TABLE_NAME": "t", "ENGINE_FUNCTION": "e", "ISOLATION": "tenant", "WARM_UP": "off", "PATH": "/bin"}
    settings = ConnectionSettings.read(told)
    assert settings.table_name == "t"
    assert settings.isolation is Isolation.TENANT
    assert settings.warm_up is False
    assert ConnectionSettings.read({**told, "WARM_UP": "on"}).warm_up is True
    assert EngineSettings.read(ENGINE).model == "demo"
    assert EngineSettings.read(ENGINE).show_reasoning is True
    assert EngineSettings.read({**ENGINE, "SHOW_REASONING": "off"}).show_reasoning is False


@pytest.mark.parametrize("name", ["RUN_SECONDS", "APPROVAL_SECONDS"])
def test_a_limit_of_runs_is_a_second_at_least(name: str) -> None:
    """One second is taken, nothing below it, and no fraction or word."""
    assert EngineSettings.read({**ENGINE, name: "1"}).model_dump()[name.lower()] == 1
    for value in ("0", "-1", "1.5", "", "an hour"):
        with pytest.raises(ConfigurationError, match=name):
            EngineSettings.read({**ENGINE, name: value})


def test_an_engine_knows_whom_to_invoke() -> None:
    """Without its own name, which Lambda sets, an engine could not hand over: it does not start."""
    with pytest.raises(ConfigurationError, match="AWS_LAMBDA_FUNCTION_NAME"):
        EngineSettings.read({"TABLE_NAME": "t"})


def test_missing_and_wrong_settings_are_named() -> None:
    """The error names what is missing or wrong, all at once."""
    with pytest.raises(ConfigurationError, match=r"TABLE_NAME.*ISOLATION"):
        RouterSettings.read({"ENGINE_FUNCTION": "e", "ISOLATION": "sometimes"})
    with pytest.raises(ConfigurationError, match="JWT_ISSUER"):
        AuthorizerSettings.read({"JWT_ISSUER": "", "JWT_AUDIENCE": "a"})
