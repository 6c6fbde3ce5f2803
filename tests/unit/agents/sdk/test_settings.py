"""Settings of a model."""

import json
import math

import pytest
from pydantic import JsonValue

from dayfly.agents.sdk import AgentDefinition, ModelSettings
from dayfly.errors import ConfigurationError

_SECONDS = ("first_event_timeout", "silence_timeout", "request_timeout")
GOOD: dict[str, list[JsonValue]] = {
    "max_tokens": [1, 128_000],
    "temperature": [0, 0.7, 2],
    "top_p": [0.001, 1],
    "stop": [["END"], ["\n\n", "b"]],
    "thinking": [True, False, "minimal", "max", 1024, 60_000],
    **{name: [0.1, 86_400] for name in _SECONDS},
    "extra_body": [{}, {"seed": 1, "nested": {"a": [None]}}],
    "prompt_cache": [True, False, "5m", "1h"],
    "context_window": [1, 1_000_000],
}
BAD: dict[str, list[JsonValue]] = {
    "max_tokens": [0, -1, 1.5, "100", True],
    "temperature": [-0.1, 2.1, "hot", True],
    "top_p": [0, 1.1, []],
    "stop": [[], [""], "END", [1], {}],
    "thinking": [1023, 0, "deep", 1.5, []],
    **{name: [0, 86_401, "1"] for name in _SECONDS},
    "extra_body": [[], "{}", 1],
    "prompt_cache": [1, "2h", []],
    "context_window": [0, "1"],
}


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in GOOD.items() for value in values])
def test_a_setting_that_holds(name: str, value: JsonValue) -> None:
    """It is read from JSON as it would be written in Python."""
    read = ModelSettings.from_json(json.dumps({name: value}))
    assert getattr(read, name) == (tuple(value) if isinstance(value, list) else value)
    assert read == ModelSettings(**{name: getattr(read, name)})


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in BAD.items() for value in values])
def test_a_setting_that_does_not_hold(name: str, value: JsonValue) -> None:
    """The error names the field, and is one line."""
    with pytest.raises(ConfigurationError, match=name) as failure:
        ModelSettings.from_json(json.dumps({name: value}))
    assert "\n" not in str(failure.value)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('{"maxtokens": 1}', "no setting maxtokens; there are: context_window"),
        ("[1]", "a JSON object"),
        ("max_tokens=1", "no JSON"),
        ('{"temperature": NaN}', "temperature"),
        ('{"extra_body": {"a": Infinity}}', "extra_body"),
    ],
)
def test_what_is_no_object_of_settings(text: str, told: str) -> None:
    """A misspelt field is an error, too, and shows the right ones."""
    with pytest.raises(ConfigurationError, match=told):
        ModelSettings.from_json(text)


def test_nothing_is_no_settings() -> None:
    """An empty parameter leaves all to the provider."""
    assert ModelSettings.from_json("") == ModelSettings.from_json("{}") == ModelSettings()


def test_an_agents_settings_stand_over_the_deployments() -> None:
    """Field by field; False and 0 are settings like others."""
    deployment = ModelSettings(temperature=0.7, max_tokens=100, prompt_cache=True)
    agent = ModelSettings(temperature=0, prompt_cache=False)
    assert agent.over(deployment) == ModelSettings(temperature=0, max_tokens=100, prompt_cache=False)
    assert ModelSettings().over(deployment) == deployment


def test_a_budget_of_thinking_leaves_room_for_an_answer() -> None:
    """It counts towards `max_tokens`."""
    assert ModelSettings(thinking=1024, max_tokens=1025).thinking == 1024
    with pytest.raises(ConfigurationError, match="thinking"):
        ModelSettings(thinking=1024, max_tokens=1024)


def test_what_is_no_json_cannot_be_sent() -> None:
    """A body with a value that JSON does not have is refused where it is written."""
    for value in (math.nan, {1}, object()):
        with pytest.raises(ConfigurationError, match="extra_body"):
            ModelSettings(extra_body={"a": value})  # type: ignore[dict-item]


def test_an_agent_has_model_settings_or_none() -> None:
    """A dict is refused at start."""
    assert AgentDefinition(instructions="x", settings=ModelSettings(max_tokens=1)).settings is not None
    with pytest.raises(ConfigurationError, match="ModelSettings"):
        AgentDefinition(instructions="x", settings={"max_tokens": 1})  # type: ignore[arg-type]
