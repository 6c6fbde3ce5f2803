"""Lambda REQUEST authorizers of `$connect`.

https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-api-lambda-auth.html
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Mapping

from emulator.contract import ApiSpec, Invocation
from emulator.gateway.events import ConnectionFacts, authorizer_event
from emulator.gateway.handshake import Handshake, Refused, refusal
from emulator.gateway.identity import present
from emulator.gateway.integration import IntegrationFailed, Integrations, IntegrationTimedOut
from emulator.gateway.policy import allows

log = logging.getLogger("emulator.gateway")

# https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-execution-service-websocket-limits-table.html
_RESULT_BYTES = 8 * 1024


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
