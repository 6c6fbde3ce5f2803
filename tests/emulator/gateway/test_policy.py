"""IAM policies of authorizers."""

from __future__ import annotations

import pytest

from emulator.gateway.authorizer import allows

ARN = "arn:aws:execute-api:us-east-1:123456789012:abcdef1234/live/$connect"


def policy(*statements: tuple[str, object, object]) -> dict[str, object]:
    """A policy document of (effect, action, resource)."""
    return {"Statement": [{"Effect": e, "Action": a, "Resource": r} for e, a, r in statements]}


@pytest.mark.parametrize(
    ("document", "allowed"),
    [
        (policy(("Allow", "execute-api:Invoke", ARN)), True),
        (policy(("Allow", "execute-api:invoke", "*")), True),
        (policy(("Allow", ["execute-api:*"], ["x", "arn:aws:execute-api:*:*:abcdef1234/*"])), True),
        (policy(("Allow", "*", "arn:aws:execute-api:us-east-?:123456789012:*")), True),
        (policy(("Allow", "execute-api:ManageConnections", ARN)), False),
        (policy(("Allow", "execute-api:Invoke", ARN + "x")), False),
        (policy(("Allow", "*", "*"), ("Deny", "execute-api:Invoke", ARN)), False),
        (policy(("Deny", "*", "arn:aws:other"), ("Allow", "*", ARN)), True),
        ({"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}, True),
        ({"Statement": []}, False),
        ({}, False),
    ],
)
def test_a_policy_is_evaluated_as_iam_does(document: dict[str, object], allowed: bool) -> None:
    """Wildcards, lists and single values, actions without case, and Deny over Allow."""
    assert allows(document, ARN) is allowed


@pytest.mark.parametrize("document", [None, "Allow", {"Statement": ["Allow"]}])
def test_what_is_no_policy_is_an_error(document: object) -> None:
    """Not a silent denial."""
    with pytest.raises(ValueError, match="not an object"):
        allows(document, ARN)
