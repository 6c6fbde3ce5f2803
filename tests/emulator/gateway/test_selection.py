"""Route selection expressions."""

from __future__ import annotations

import pytest

from emulator.gateway.selection import RouteSelection


@pytest.mark.parametrize(
    ("expression", "text", "key"),
    [
        ("$request.body.action", '{"action": "run"}', "run"),
        ("${request.body.action}", '{"action": "run"}', "run"),
        ("$request.body.a.b", '{"a": {"b": "c"}}', "c"),
        ("$request.body.list[1]", '{"list": ["x", "y"]}', "y"),
        ("$request.body.list[5]", '{"list": ["x", "y"]}', None),
        ("$request.body.n", '{"n": 7}', "7"),
        ("$request.body.n", '{"n": true}', "true"),
        ("$request.body.n", '{"n": null}', None),
        ("$request.body.a.b", '{"a": "text"}', None),
        ("$request.body.action", "not json", None),
    ],
)
def test_an_expression_finds_the_route_key(expression: str, text: str, key: str | None) -> None:
    """By JSON path; what is no plain value is no key."""
    assert RouteSelection(expression).select(text) == key


@pytest.mark.parametrize("expression", ["$request.header.x", "action", "$request.body"])
def test_another_form_of_expression_is_refused(expression: str) -> None:
    """WebSocket APIs only select by the body."""
    with pytest.raises(ValueError, match="route selection expression"):
        RouteSelection(expression)
