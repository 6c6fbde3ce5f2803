"""Whether the template and the library agree on what they hand each other."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dayfly.aws.invocation_payloads import (
    FailureNotice,
    RunPayload,
    ScheduledEvent,
    WarmUpPayload,
    engine_payload,
    recovery_event,
)
from dayfly.aws.settings import (
    AuthorizerSettings,
    ConnectionSettings,
    EngineSettings,
    RecoverySettings,
    RouterSettings,
    Settings,
)
from dayfly.errors import ConfigurationError
from scripts.template_file import load

ROOT = Path(__file__).parents[2]
# https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html#configuration-envvars-runtime
BY_LAMBDA = {"AWS_LAMBDA_FUNCTION_NAME"}


def variables(function: str) -> dict[str, Any]:
    """A function's environment: every value that is not a literal stands as `{"Ref": …}` or the like."""
    template = load(ROOT / "template.yaml")
    shared = template["Globals"]["Function"]["Environment"]["Variables"]
    return {**shared, **template["Resources"][function]["Properties"]["Environment"]["Variables"]}


def event(name: str) -> Any:
    """One sample event."""
    return json.loads((ROOT / "events" / f"{name}.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("function", "settings"),
    [
        ("AuthorizerFunction", AuthorizerSettings),
        ("ConnectionFunction", ConnectionSettings),
        ("RouterFunction", RouterSettings),
        ("EngineFunction", EngineSettings),
        ("RecoveryFunction", RecoverySettings),
    ],
)
def test_the_template_gives_what_is_required(function: str, settings: type[Settings]) -> None:
    """Each setting without a default is among the function's variables, or is one that Lambda itself sets."""
    required = {name.upper() for name, field in settings.model_fields.items() if field.is_required()}
    assert required <= set(variables(function)) | BY_LAMBDA
    assert not BY_LAMBDA & set(variables(function)), "Lambda refuses to have these set"


def told(function: str, **changed: object) -> dict[str, str]:
    """The environment that a function of a stack with the template's defaults gets, Lambda's own variables included;
    `changed` are other values of parameters."""
    defaults = {name: each["Default"] for name, each in load(ROOT / "template.yaml")["Parameters"].items()}
    values = {**defaults, **changed}
    given = variables(function)
    environment = {name: str(values.get(each["Ref"], "a-name")) for name, each in given.items() if "Ref" in each}
    return {**dict.fromkeys(BY_LAMBDA, "a-name"), **environment}


def test_the_defaults_of_the_template_are_legal_settings() -> None:
    """The template's own defaults make settings for every function."""
    for function, settings in (("AuthorizerFunction", AuthorizerSettings), ("EngineFunction", EngineSettings)):
        assert settings.read(told(function)).powertools_service_name == "dayfly"


@pytest.mark.parametrize(
    ("parameter", "read"),
    [
        ("RunTimeLimit", lambda settings: settings.run_seconds),
        ("ApprovalTimeout", lambda settings: settings.approval_seconds),
    ],
)
def test_limits_of_runs_are_the_same_on_both_sides(parameter: str, read: Callable[[EngineSettings], int]) -> None:
    """The engine takes the least and the greatest value of the parameter, has its default, and refuses less."""
    bounds = load(ROOT / "template.yaml")["Parameters"][parameter]
    for value in (bounds["MinValue"], bounds["MaxValue"]):
        assert read(EngineSettings.read(told("EngineFunction", **{parameter: value}))) == value
    assert read(EngineSettings(table_name="t", aws_lambda_function_name="e")) == bounds["Default"]
    with pytest.raises(ConfigurationError, match="SECONDS"):
        EngineSettings.read(told("EngineFunction", **{parameter: bounds["MinValue"] - 1}))


def test_the_engines_events_are_read() -> None:
    """The sample events of the engine are a run, the same run handed over, and a warm-up."""
    run, handed_over = engine_payload(event("engine")), engine_payload(event("engine-handed-over"))
    assert isinstance(run, RunPayload)
    assert isinstance(handed_over, RunPayload)
    assert (run.attempt, handed_over.attempt) == (1, 2)
    assert run.first_seq < handed_over.first_seq
    assert handed_over == run.model_copy(update={"attempt": 2, "first_seq": handed_over.first_seq})
    assert isinstance(engine_payload(event("warm-up")), WarmUpPayload)


def test_recoverys_events_are_read() -> None:
    """The sample events of recovery are a notice of a failed engine, one of an engine that never ran, and a sweep."""
    notice = recovery_event(event("on-failure"))
    assert isinstance(notice, FailureNotice)
    assert not notice.never_ran
    expired = recovery_event(event("on-failure-expired"))
    assert isinstance(expired, FailureNotice)
    assert expired.never_ran
    assert isinstance(recovery_event(event("sweep")), ScheduledEvent)
