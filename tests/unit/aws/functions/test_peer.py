"""Whose connection an event is about."""

import json
from pathlib import Path

import pytest

from dayfly.aws.functions.wiring import Peer

EVENTS = Path(__file__).parents[4] / "events"


@pytest.mark.parametrize("name", ["connect", "run", "disconnect"])
def test_the_authorizers_word_counts(name: str) -> None:
    """Connection, user and tenant stand in the request's context; without an authorizer's, nobody is served."""
    event = json.loads((EVENTS / f"{name}.json").read_text())
    context = event["requestContext"]
    context["connectionId"] = "C="
    context["authorizer"].update(user="u-1", tenant="o-1", principalId="p-1")
    assert Peer.of(event) == Peer(connection_id="C=", user_id="u-1", tenant_id="o-1")
    context["authorizer"]["chosen_claims"] = '{"email":"a@b.example"}'
    assert Peer.of(event).claims == '{"email":"a@b.example"}'
    assert "a@b.example" not in repr(Peer.of(event))
    del context["authorizer"]
    with pytest.raises(KeyError):
        Peer.of(event)
