"""Lambda REQUEST authorizers of `$connect`.

https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-api-lambda-auth.html
"""

import json
import logging
import re
import time
from collections.abc import Mapping

from emulator.contract import ApiSpec, Invocation
from emulator.gateway.events import ConnectionFacts, authorizer_event
from emulator.gateway.handshake import Handshake, Refused, refusal
from emulator.gateway.integration import IntegrationFailed, Integrations, IntegrationTimedOut

log = logging.getLogger("emulator.gateway")

# https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-execution-service-websocket-limits-table.html
_RESULT_BYTES = 8 * 1024

# Identity sources: what a handshake must bring before the function is asked.
# https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-resource-apigatewayv2-authorizer.html
_HEADER = ("route.request.header.", "route.request.multivalueheader.")
_QUERY = ("route.request.querystring.", "route.request.multivaluequerystring.")
_STAGE = "stageVariables."
_CONTEXT = "context."

_INVOKE = "execute-api:Invoke"


class AuthorizerBroken(Exception):
    """The authorizer's answer is none; the client is told 500."""


class RequestAuthorizer:
    """Asks one authorizer function of one API whether a handshake may go on."""

    def __init__(self, spec: ApiSpec, function: str, *, integrations: Integrations, arn: str) -> None:
        self._sources = spec.identity_sources
        self._function = function
        self._integrations = integrations
        self._method_arn = f"{arn}/{spec.stage}/$connect"

    async def authorize(self, facts: ConnectionFacts, handshake: Handshake) -> Mapping[str, object] | Refused:
        """What `requestContext.authorizer` shall hold, values as strings; or the refusal: 401, 403 or 500."""
        event = authorizer_event(facts, handshake, method_arn=self._method_arn)
        # Every identity source must be there and not empty, or the function is not even called.
        for source in self._sources:
            if not present(source, handshake, context=event.context, stage_variables=facts.stage_variables):
                return refusal(401, "Unauthorized", "UnauthorizedException", facts.connection_id)
        started = time.monotonic()
        try:
            invocation = await self._integrations.invoke(self._function, event.payload)
            if invocation.function_error is not None:
                return _failed(invocation, facts.connection_id)
            context = _read(invocation.payload, self._method_arn)
        except (IntegrationFailed, IntegrationTimedOut, AuthorizerBroken) as failure:
            log.warning("%s authorizer %s: %s", facts.connection_id, self._function, failure)
            return _configuration_error(facts.connection_id)
        if context is None:
            return refusal(403, "Forbidden", "AccessDeniedException", facts.connection_id)
        return {**context, "integrationLatency": int((time.monotonic() - started) * 1000)}


def _failed(invocation: Invocation, connection_id: str) -> Refused:
    # The one error by which a function itself asks for 401, spelled exactly so:
    # https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-use-lambda-authorizer.html
    if _error_message(invocation.payload) == "Unauthorized":
        return refusal(401, "Unauthorized", "UnauthorizedException", connection_id)
    return _configuration_error(connection_id)


def _error_message(payload: bytes) -> object:
    try:
        error = json.loads(payload)
    except ValueError:
        return None
    return error.get("errorMessage") if isinstance(error, dict) else None


def _configuration_error(connection_id: str) -> Refused:
    return refusal(500, "Internal server error", "AuthorizerConfigurationException", connection_id)


def _read(payload: bytes, method_arn: str) -> dict[str, object] | None:
    """The context an allowing answer carries, None for a denying one. Raises `AuthorizerBroken`."""
    if len(payload) > _RESULT_BYTES:
        raise AuthorizerBroken(f"the answer has {len(payload)} bytes, more than {_RESULT_BYTES}")
    try:
        answer = json.loads(payload)
    except ValueError as error:
        raise AuthorizerBroken("the answer is not JSON") from error
    if not isinstance(answer, dict) or not isinstance(answer.get("principalId"), str):
        raise AuthorizerBroken("the answer has no principalId")
    try:
        allowed = allows(answer.get("policyDocument"), method_arn)
    except ValueError as error:
        raise AuthorizerBroken(str(error)) from error
    if not allowed:
        return None
    context = answer.get("context") or {}
    if not isinstance(context, dict):
        raise AuthorizerBroken("the context is not an object")
    return {"principalId": answer["principalId"], **{name: _string(value) for name, value in context.items()}}


def _string(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (str, int, float)):
        return str(value)
    # Objects and arrays are not allowed as values of the context.
    raise AuthorizerBroken("a value of the context is neither a string, a number nor a boolean")


def present(
    source: str, handshake: Handshake, *, context: Mapping[str, object], stage_variables: Mapping[str, str]
) -> bool:
    """Whether the value that a mapping expression names is there and not empty."""
    source = source.removeprefix("$")
    for prefix in _HEADER:
        if source.startswith(prefix):
            return bool(handshake.header(source.removeprefix(prefix)))
    for prefix in _QUERY:
        if source.startswith(prefix):
            return bool(handshake.query_parameter(source.removeprefix(prefix)))
    if source.startswith(_STAGE):
        return bool(stage_variables.get(source.removeprefix(_STAGE)))
    return source.startswith(_CONTEXT) and _reached(context, source.removeprefix(_CONTEXT))


def _reached(context: Mapping[str, object], path: str) -> bool:
    value: object = context
    for step in path.split("."):
        if not isinstance(value, Mapping):
            return False
        value = value.get(step)
    return value is not None and value != ""


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
