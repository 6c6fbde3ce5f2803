"""What functions are told by their environment."""

import pytest

from dayfly.aws.isolation import Isolation
from dayfly.aws.settings import AuthorizerSettings, ConnectionSettings, EngineSettings, RouterSettings
from dayfly.errors import ConfigurationError


def test_settings_come_from_the_environments_names() -> None:
    """Each field is the environment variable of its name; what is not set has its default."""
    told = {"TABLE_NAME": "t", "ENGINE_FUNCTION": "e", "ISOLATION": "tenant", "WARM_UP": "off", "PATH": "/bin"}
    settings = ConnectionSettings.read(told)
    assert settings.table_name == "t"
    assert settings.isolation is Isolation.TENANT
    assert settings.warm_up is False
    assert ConnectionSettings.read({**told, "WARM_UP": "on"}).warm_up is True
    assert EngineSettings.read({"TABLE_NAME": "t"}).model == "demo"


def test_missing_and_wrong_settings_are_named() -> None:
    """The error names what is missing or wrong, all at once."""
    with pytest.raises(ConfigurationError, match=r"TABLE_NAME.*ISOLATION"):
        RouterSettings.read({"ENGINE_FUNCTION": "e", "ISOLATION": "sometimes"})
    with pytest.raises(ConfigurationError, match="JWT_ISSUER"):
        AuthorizerSettings.read({"JWT_ISSUER": "", "JWT_AUDIENCE": "a"})
