"""Route selection expressions."""

from __future__ import annotations

import pytest

from emulator.gateway.route_selection import RouteSelection


@pytest.mark.parametrize(
    ("expression", "text", "key"),
    [
        ("$request.body.action", '{"action": "run"}', "run"),
        ("${request.body.action}", '{"action": "run"}', "run"),
        ("$request.body.a.b", '{"a": {"b": "c"}}', "c"),
        ("$request.body.list[1]", '{"list": ["x", "y"]}', "y"),
        ("$request.body.list[5]", '{"list": ["x", "y"]}', ""),
        ("$request.body.list", '{"list": ["x", "y"]}', "[x, y]"),
        ("${request.body['a b']}", '{"a b": "c"}', "c"),
        ("$request.body.n", '{"n": 7}', "7"),
        ("$request.body.n", '{"n": true}', "true"),
        ("$request.body.n", '{"n": null}', ""),
        ("$request.body.a.b", '{"a": "text"}', ""),
        ("$request.body.action", "not json", None),
        ("${request.body.service}/${request.body.action}", '{"service": "chat", "action": "join"}', "chat/join"),
        ("${request.body.action}-${request.body.none}", '{"action": "join"}', "join-"),
        ("action", "not json", "action"),
        (r"\$default", "not json", "$default"),
    ],
)
def test_an_expression_finds_the_route_key(expression: str, text: str, key: str | None) -> None:
    """By JSON paths and text around them; what is not there is the empty string."""
    assert RouteSelection(expression).select(text) == key


@pytest.mark.parametrize(
    "expression", ["$request.header.x", "$request.body", "$request.body.", "${request.body.a", "$", ""]
)
def test_another_form_of_expression_is_refused(expression: str) -> None:
    """WebSocket APIs only select by the body."""
    with pytest.raises(ValueError, match="route selection expression"):
        RouteSelection(expression)
