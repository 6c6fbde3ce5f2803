"""The sample events, one for each route and trigger."""

import json
from pathlib import Path
from typing import Any

import pytest

from dayfly.protocol.frames import FRAMES
from dayfly.protocol.parse import parse_frame
from scripts.template_file import load

ROOT = Path(__file__).parents[2]
EVENTS = ROOT / "events"
TRIGGERS = {"authorizer", "engine", "engine-handed-over", "on-failure", "on-failure-expired", "sweep", "warm-up"}


def event(name: str) -> dict[str, Any]:
    """One sample event."""
    document: dict[str, Any] = json.loads((EVENTS / f"{name}.json").read_text(encoding="utf-8"))
    return document


def test_every_route_and_trigger_has_its_event() -> None:
    """There is one file for each route of the template and each trigger, and no other."""
    routes = load(ROOT / "template.yaml")["Resources"]["ChatApi"]["Properties"]["Routes"]
    assert {file.stem for file in EVENTS.iterdir()} == {route.lstrip("$") for route in routes} | TRIGGERS


@pytest.mark.parametrize("action", sorted(FRAMES))
def test_a_frame_fits_its_route(action: str) -> None:
    """The event of a route carries a legal frame of that action."""
    sample = event(action)
    assert sample["requestContext"]["routeKey"] == action
    assert parse_frame(sample["body"]).action == action


@pytest.mark.parametrize("name", ["connect", "disconnect", "default", *sorted(FRAMES)])
def test_an_event_carries_who_it_is_from(name: str) -> None:
    """Each integration's event has the authorizer's context, all of it strings but the gateway's own latency."""
    context = event(name)["requestContext"]
    identity = {key: value for key, value in context["authorizer"].items() if key != "integrationLatency"}
    assert set(identity) == {"principalId", "user", "tenant", "expires_at"}
    assert all(isinstance(value, str) for value in identity.values())


@pytest.mark.parametrize("name", ["connect", "disconnect", "default"])
def test_the_gateways_own_routes(name: str) -> None:
    """The events of `$connect`, `$disconnect` and `$default` name their route."""
    assert event(name)["requestContext"]["routeKey"] == f"${name}"


def test_the_failed_request_is_an_engines() -> None:
    """The notices to recovery hold, as it was, the request that an engine got."""
    for name in ("on-failure", "on-failure-expired"):
        assert event(name)["requestPayload"] == event("engine")


def test_no_event_holds_a_token() -> None:
    """The samples' tokens are placeholders without a signature to try."""
    for file in EVENTS.iterdir():
        assert "eyJ" not in file.read_text(encoding="utf-8")
