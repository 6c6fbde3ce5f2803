"""What is answered for a service that moto does not play: one clear error, since nothing may leave the machine."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

from moto.moto_server.werkzeug_app import create_backend_app

_SCOPE = re.compile(r"Credential=[^/]+/\d+/[^/]+/([^/]+)/aws4_request")


def application(service: Any) -> Any:
    """The WSGI application of a service of moto's, by its name; None if moto does not know what is asked."""
    return _refuse if service is None else create_backend_app(service)


def _refuse(environ: dict[str, Any], start_response: Callable[[str, list[tuple[str, str]]], object]) -> list[bytes]:
    # 501 is no status that SDKs repeat a request for.
    scope = _SCOPE.search(environ.get("HTTP_AUTHORIZATION", ""))
    name = scope[1] if scope else "this service"
    message = f"The emulator does not play {name}; set its endpoint with --env to use another"
    body = json.dumps({"__type": "NotImplementedException", "message": message}).encode()
    start_response(
        "501 Not Implemented",
        [
            ("Content-Type", "application/x-amz-json-1.1"),
            ("Content-Length", str(len(body))),
            ("x-amzn-ErrorType", "NotImplementedException"),
        ],
    )
    return [body]
