"""Whether the template and the library agree on what they hand each other."""

import json
from pathlib import Path
from typing import Any

import pytest

from dayfly.aws.payloads import FailureNotice, RunPayload, ScheduledEvent, WarmUpPayload, engine_payload, recovery_event
from dayfly.aws.settings import (
    AuthorizerSettings,
    ConnectionSettings,
    EngineSettings,
    RecoverySettings,
    RouterSettings,
    Settings,
)
from scripts.template_file import load

ROOT = Path(__file__).parents[2]


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
    """Each setting without a default is among the function's variables."""
    required = {name.upper() for name, field in settings.model_fields.items() if field.is_required()}
    assert required <= set(variables(function))


def test_the_defaults_of_the_template_are_legal_settings() -> None:
    """The template's own defaults make settings for every function."""
    parameters = {name: str(each["Default"]) for name, each in load(ROOT / "template.yaml")["Parameters"].items()}
    for function, settings in (("AuthorizerFunction", AuthorizerSettings), ("EngineFunction", EngineSettings)):
        given = variables(function)
        told = {name: parameters.get(value.get("Ref", ""), "a-name") for name, value in given.items() if "Ref" in value}
        assert settings.read(told).powertools_service_name == "dayfly"


def test_the_engines_events_are_read() -> None:
    """The sample events of the engine are a run and a warm-up."""
    assert isinstance(engine_payload(event("engine")), RunPayload)
    assert isinstance(engine_payload(event("warm-up")), WarmUpPayload)


def test_recoverys_events_are_read() -> None:
    """The sample events of recovery are a notice of a failed engine and a sweep."""
    notice = recovery_event(event("on-failure"))
    assert isinstance(notice, FailureNotice)
    assert not notice.never_ran
    assert isinstance(recovery_event(event("sweep")), ScheduledEvent)
