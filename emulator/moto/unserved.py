"""The answer where moto lacks a service or an operation: one clear error, as nothing is to leave the machine."""

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from flask import Response, request
from moto.moto_server.werkzeug_app import create_backend_app

_SCOPE = re.compile(r"Credential=[^/]+/\d+/[^/]+/([^/]+)/aws4_request")
_STATUS = 501
"""No status that SDKs repeat a request for."""


def application(service: Any) -> Any:
    """The WSGI application of a service of moto's, by its name; None if moto does not know what is asked."""
    if service is None:
        return _refuse
    app = create_backend_app(service)
    app.register_error_handler(NotImplementedError, _missing_operation)
    return app


def _missing_operation(error: NotImplementedError) -> Response:
    body, headers = _error(request.headers.get("Authorization", ""), str(error))
    return Response(body, _STATUS, headers)


def _refuse(environ: dict[str, Any], start_response: Callable[[str, list[tuple[str, str]]], object]) -> list[bytes]:
    body, headers = _error(environ.get("HTTP_AUTHORIZATION", ""), "")
    start_response(f"{_STATUS} Not Implemented", [*headers.items(), ("Content-Length", str(len(body)))])
    return [body]


def _error(authorization: str, reason: str) -> tuple[bytes, Mapping[str, str]]:
    scope = _SCOPE.search(authorization)
    name = scope[1] if scope else "this service"
    what = f"this operation of {name} ({reason.rstrip('.')})" if reason else name
    message = f"The emulator does not play {what}; name another endpoint with --env AWS_ENDPOINT_URL_..."
    body = json.dumps({"__type": "NotImplementedException", "message": message}).encode()
    return body, {"Content-Type": "application/x-amz-json-1.1", "x-amzn-ErrorType": "NotImplementedException"}
