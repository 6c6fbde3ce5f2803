"""The Invoke operation of the Lambda API.

https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html
"""

import json
import uuid
from base64 import b64decode, b64encode
from collections.abc import Collection
from urllib.parse import parse_qs

from emulator.contract import (
    FunctionNotFound,
    Functions,
    InvalidPayload,
    InvalidTenant,
    LambdaRefusal,
    PayloadTooLarge,
    Throttled,
)
from emulator.gateway.asgi import (
    JSON,
    BodyTooLarge,
    Receive,
    Scope,
    Send,
    header,
    is_signed,
    read_body,
    respond,
    respond_error,
)

_MB = 1024 * 1024
# https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
_LIMITS = {"RequestResponse": 6 * _MB, "Event": 1 * _MB, "DryRun": 6 * _MB}
_REFUSALS: dict[type[LambdaRefusal], tuple[int, str]] = {
    Throttled: (429, "TooManyRequestsException"),
    FunctionNotFound: (404, "ResourceNotFoundException"),
    InvalidTenant: (400, "InvalidParameterValueException"),
    PayloadTooLarge: (413, "RequestTooLargeException"),
    InvalidPayload: (400, "InvalidRequestContentException"),
}


class InvokeEndpoint:
    """Answers `POST /2015-03-31/functions/{name or ARN}/invocations`. `names` are the functions that exist."""

    def __init__(self, functions: Functions, *, names: Collection[str]) -> None:
        self._functions = functions
        self._names = names

    async def __call__(self, function: str, scope: Scope, receive: Receive, send: Send) -> None:
        """One request; `function` is the decoded path parameter."""
        request_id = str(uuid.uuid4())
        kind = header(scope, b"x-amz-invocation-type") or "RequestResponse"
        if not is_signed(scope):
            message = "Missing Authentication Token"
            await respond_error(send, 403, "MissingAuthenticationTokenException", request_id, message=message)
            return
        if scope["method"] != "POST" or kind not in _LIMITS:
            message = f"{scope['method']} {kind} is no invocation"
            await respond_error(send, 400, "InvalidParameterValueException", request_id, message=message)
            return
        try:
            payload = await read_body(receive, limit=_LIMITS[kind])
            await self._invoke(kind, qualified(function, scope), payload or b"{}", scope, send)
        except BodyTooLarge as error:
            message = f"{error} byte payload is too large for the {kind} invocation type (limit {_LIMITS[kind]} bytes)"
            await respond_error(send, 413, "RequestTooLargeException", request_id, Type="User", message=message)
        except LambdaRefusal as refusal:
            status, error_type = _REFUSALS[type(refusal)]
            more = {"Reason": refusal.reason} if isinstance(refusal, Throttled) else {}
            message = str(refusal) or error_type
            await respond_error(send, status, error_type, request_id, Type="User", message=message, **more)

    async def _invoke(self, kind: str, name: str, payload: bytes, scope: Scope, send: Send) -> None:
        if name not in self._names:
            raise FunctionNotFound(f"Function not found: {name}")
        tenant = header(scope, b"x-amz-tenant-id") or None
        if kind == "DryRun":
            await respond(send, 204, headers=((b"x-amzn-requestid", str(uuid.uuid4()).encode()),))
        elif kind == "Event":
            # Neither a client context nor a log: both are of synchronous invocations alone.
            request_id = await self._functions.invoke_event(name, payload, tenant_id=tenant)
            await respond(send, 202, headers=((b"x-amzn-requestid", request_id.encode()),))
        else:
            tail = header(scope, b"x-amz-log-type") == "Tail"
            invocation = await self._functions.invoke(
                name, payload, tenant_id=tenant, client_context=_client_context(scope), tail=tail
            )
            headers = [(b"x-amzn-requestid", invocation.request_id.encode()), (b"x-amz-executed-version", b"$LATEST")]
            if invocation.function_error is not None:
                headers.append((b"x-amz-function-error", invocation.function_error.encode()))
            if tail:
                headers.append((b"x-amz-log-result", b64encode(invocation.log)))
            await respond(send, 200, invocation.payload, headers=(*headers, JSON))


def _client_context(scope: Scope) -> str | None:
    """The JSON of the client context. Raises `InvalidPayload` if the header holds none."""
    encoded = header(scope, b"x-amz-client-context")
    if not encoded:
        return None
    try:
        return json.dumps(json.loads(b64decode(encoded, validate=True)))  # in one line, for it goes into a header
    except ValueError as error:
        raise InvalidPayload(f"Client context must be a valid Base64-encoded JSON object: {error}") from error


def function_name(reference: str) -> str:
    """The bare name in a name, partial or full ARN. A version or alias other than `$LATEST` stays, so is not found."""
    parts = reference.split(":")
    if "function" in parts:
        parts = parts[parts.index("function") + 1 :]
    if parts[1:] == ["$LATEST"]:
        parts = parts[:1]
    return ":".join(parts)


def qualified(reference: str, scope: Scope) -> str:
    """The bare name with what `Qualifier` in the query adds: nothing if that is `$LATEST`."""
    qualifier = parse_qs(scope["query_string"].decode("ascii", "replace")).get("Qualifier", ["$LATEST"])[0]
    name = function_name(reference)
    return name if qualifier == "$LATEST" else f"{name}:{qualifier}"
