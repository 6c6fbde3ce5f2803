"""What an authorizer's IAM policy says about one resource."""

from __future__ import annotations

import re

_INVOKE = "execute-api:Invoke"


def allows(document: object, resource: str) -> bool:
    """Whether the policy allows `execute-api:Invoke` on `resource`; an explicit Deny wins over any Allow.

    Raises `ValueError` if the document is no policy. `*` and `?` are wildcards, action names have no case:
    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html
    """
    if not isinstance(document, dict):
        raise ValueError("policyDocument is not an object")
    allowed = False
    for statement in _listed(document.get("Statement")):
        if not isinstance(statement, dict):
            raise ValueError("a policy statement is not an object")
        if not _applies(statement, resource):
            continue
        if statement.get("Effect") == "Deny":
            return False
        allowed = allowed or statement.get("Effect") == "Allow"
    return allowed


def _applies(statement: dict[str, object], resource: str) -> bool:
    actions = _listed(statement.get("Action"))
    resources = _listed(statement.get("Resource"))
    return any(_matches(str(action).lower(), _INVOKE.lower()) for action in actions) and any(
        _matches(str(pattern), resource) for pattern in resources
    )


def _matches(pattern: str, text: str) -> bool:
    expression = "".join(".*" if char == "*" else "." if char == "?" else re.escape(char) for char in pattern)
    return re.fullmatch(expression, text, re.DOTALL) is not None


def _listed(value: object) -> list[object]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]
