"""The moto server, in a process of its own: `python -P -m emulator.moto DESCRIPTOR`.

Serves on the listening socket that it inherits, prints a line on standard output once it does, and ends when standard
input closes: the parent's death in any way closes it. On Linux the kernel is asked for the same, in case this process
hangs. Where moto lacks a service or an operation one clear error is the answer, as nothing is to leave the machine.
"""

import json
import logging
import os
import re
import signal
import sys
import threading
from collections.abc import Callable, Mapping
from typing import Any

from flask import Response, request
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import WSGIRequestHandler, make_server

from emulator.moto import patches
from emulator.processes.die_with_parent import die_with_parent

_SCOPE = re.compile(r"Credential=[^/]+/\d+/[^/]+/([^/]+)/aws4_request")
_STATUS = 501
"""No status that SDKs repeat a request for."""


class _Quiet(WSGIRequestHandler):
    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """No line per request."""


def _end_with_parent() -> None:
    die_with_parent()

    def watch() -> None:
        sys.stdin.buffer.read()
        os._exit(0)

    threading.Thread(target=watch, daemon=True).start()


def main(descriptor: int) -> None:
    """Serve on the socket with this descriptor until the parent is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the parent decides
    _end_with_parent()
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    patches.install()
    server = make_server(
        "127.0.0.1",
        0,
        DomainDispatcherApplication(_application),
        threaded=True,
        request_handler=_Quiet,
        fd=descriptor,
    )
    try:
        sys.stdout.write("serving\n")
        sys.stdout.flush()
    except BrokenPipeError:
        os._exit(0)  # the parent was killed meanwhile
    server.serve_forever()


def _application(service: Any) -> Any:
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
