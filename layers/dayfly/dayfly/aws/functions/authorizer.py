"""The authorizer function: says whose token a new socket brings.

No token: the error `Unauthorized`, which API Gateway answers with 401. A bad token: a policy that denies, 403. Keys
that cannot be had: an error, 500, because then nothing is known about the token: a client may come back with the same.
Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-api-lambda-auth.html
"""

import logging
from collections.abc import Mapping
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from dayfly.aws.auth.bearer import bearer_token
from dayfly.aws.auth.tokens import BadToken, Identity, Tokens
from dayfly.aws.auth.web_keys import WebKeys
from dayfly.aws.settings import AuthorizerSettings
from dayfly.aws.telemetry.telemetry import Telemetry
from dayfly.clock import SystemClock
from dayfly.context.claims import MAX_BYTES

_log = logging.getLogger("dayfly.aws.functions.authorizer")


class Unauthorized(Exception):
    """API Gateway knows this error by its message, which must be exactly `Unauthorized`."""

    def __init__(self) -> None:
        super().__init__("Unauthorized")


class AuthorizerFunction:
    """Composition root of the authorizer function; built once per process."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        settings = AuthorizerSettings.read(environ)
        self._telemetry = Telemetry(settings)
        keys = WebKeys(issuer=settings.jwt_issuer, jwks_url=settings.jwt_jwks_url, clock=SystemClock())
        self._tokens = Tokens(
            keys,
            issuer=settings.jwt_issuer,
            audiences=settings.audiences,
            tenant_claim=settings.tenant_claim,
            context_claims=settings.chosen_claims,
        )

    def handle(self, event: Mapping[str, Any], context: LambdaContext) -> dict[str, Any]:
        """The policy for the connection. Raises `Unauthorized`, or `KeysUnavailable`."""
        with self._telemetry.invocation(context, connection=event["requestContext"].get("connectionId", "")):
            token = bearer_token(event)
            if token is None:
                raise Unauthorized
            try:
                identity = self._tokens.identity(token)
            except BadToken as error:
                _log.info("token refused", extra={"reason": str(error)})
                return _policy("Deny", event["methodArn"], principal="nobody")
            self._telemetry.logs.bind(user=identity.user_id)
            _log.info("token accepted")
            if left_out := identity.claims.left_out:
                _log.warning("claims left out", extra={"claims": left_out, "most_bytes": MAX_BYTES})
            return _allow(identity, event["methodArn"])


def _allow(identity: Identity, method: str) -> dict[str, Any]:
    # Context values reach every later event of the connection, as strings.
    context = {"user": identity.user_id, "tenant": identity.tenant_id, "expires_at": str(identity.expires_at)}
    if identity.claims.text:
        context["chosen_claims"] = identity.claims.text
    return {**_policy("Allow", method, principal=identity.user_id), "context": context}


def _policy(effect: str, method: str, *, principal: str) -> dict[str, Any]:
    """Exactly the `$connect` that was asked about: an authorizer of a WebSocket API is asked for nothing else, once a
    connection, and its answer is not kept for another."""
    statement = {"Action": "execute-api:Invoke", "Effect": effect, "Resource": method}
    return {"principalId": principal, "policyDocument": {"Version": "2012-10-17", "Statement": [statement]}}
