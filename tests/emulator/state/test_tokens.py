"""ClientRequestToken, without a server."""

from __future__ import annotations

import json

import pytest

from emulator.state.tokens import ParameterMismatch, Tokens, Transaction


def transaction(token: str, items: object) -> Transaction:
    """The token of a request with these items."""
    found = Transaction.of(json.dumps({"ClientRequestToken": token, "TransactItems": items}).encode())
    assert found is not None
    return found


def test_a_token_is_forgotten_after_its_time() -> None:
    """DynamoDB keeps a token for ten minutes after the request finished."""
    now = 0.0
    tokens = Tokens(600, clock=lambda: now)
    tokens.remember(transaction("a", [1]))
    now = 599.0
    assert tokens.is_done(transaction("a", [1]))
    now = 600.0
    assert not tokens.is_done(transaction("a", [2]))


def test_another_request_under_a_known_token_is_a_mismatch() -> None:
    """The items count, not the order of their keys in JSON."""
    tokens = Tokens(600)
    tokens.remember(transaction("a", [{"x": 1, "y": 2}]))
    assert tokens.is_done(transaction("a", [{"y": 2, "x": 1}]))
    with pytest.raises(ParameterMismatch):
        tokens.is_done(transaction("a", [{"x": 1, "y": 3}]))


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"{}", b'{"ClientRequestToken": 1}'])
def test_a_request_without_a_token_has_none(body: bytes) -> None:
    """Anything without a string as token is passed on as it is."""
    assert Transaction.of(body) is None
