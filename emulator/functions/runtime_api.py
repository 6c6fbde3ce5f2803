"""The Lambda Runtime API, one loopback port for each environment.

https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html. The runtime client takes `host:port` and nothing else,
so the port is what tells one environment from another.
"""

from __future__ import annotations

import json
import socket

from aiohttp import web

from emulator.functions.environment import Environment, IllegalTransition
from emulator.functions.options import RESPONSE_PAYLOAD_BYTES
from emulator.functions.outcome import Outcome, failure

_ACCEPTED = json.dumps({"status": "OK"})
_API = "/2018-06-01/runtime"


class RuntimeApi:
    """Serves any number of environments from one event loop."""

    def __init__(self) -> None:
        app = web.Application(client_max_size=0)  # no bound here: `_response` answers an over-long one itself
        app.router.add_get(f"{_API}/invocation/next", self._next)
        app.router.add_post(f"{_API}/invocation/{{request_id}}/response", self._response)
        app.router.add_post(f"{_API}/invocation/{{request_id}}/error", self._error)
        app.router.add_post(f"{_API}/init/error", self._init_error)
        # A runtime that is killed leaves its long poll: the handler must end with it.
        self._runner = web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=0.5)
        self._environments: dict[int, Environment] = {}
        self._sites: dict[int, web.SockSite] = {}

    async def start(self) -> None:
        """Become ready for environments."""
        await self._runner.setup()

    async def stop(self) -> None:
        """Close every port."""
        await self._runner.cleanup()
        self._environments.clear()
        self._sites.clear()

    async def open(self, environment: Environment) -> str:
        """A new port for `environment`; returns its `host:port`."""
        listener = socket.create_server(("127.0.0.1", 0))
        port = listener.getsockname()[1]
        site = web.SockSite(self._runner, listener)
        await site.start()
        self._environments[port] = environment
        self._sites[port] = site
        return f"127.0.0.1:{port}"

    async def close(self, environment: Environment) -> None:
        """Close the port of an environment that has ended."""
        for port, owner in list(self._environments.items()):
            if owner is environment:
                del self._environments[port]
                await self._sites.pop(port).stop()

    def _environment(self, request: web.Request) -> Environment:
        transport = request.transport
        port: int = 0 if transport is None else transport.get_extra_info("sockname")[1]
        environment = self._environments.get(port)
        if environment is None:
            raise web.HTTPForbidden
        return environment

    async def _next(self, request: web.Request) -> web.Response:
        try:
            call = await self._environment(request).next()
        except IllegalTransition as error:
            raise web.HTTPForbidden(text=str(error)) from error
        return web.Response(body=call.payload, headers=call.headers(), content_type="application/json")

    async def _response(self, request: web.Request) -> web.Response:
        body = await request.read()
        if len(body) > RESPONSE_PAYLOAD_BYTES:
            # The invocation ends as an error, the environment lives on.
            too_large = failure(
                "Function.ResponseSizeTooLarge",
                f"Response payload size exceeded maximum allowed payload size ({RESPONSE_PAYLOAD_BYTES - 100} bytes).",
            )
            return self._settled(request, too_large, status=413)
        return self._settled(request, Outcome(body, failed=False))

    async def _error(self, request: web.Request) -> web.Response:
        return self._settled(request, Outcome(await request.read(), failed=True))

    async def _init_error(self, request: web.Request) -> web.Response:
        # https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html#runtimes-api-initerror
        error_type = request.headers.get("Lambda-Runtime-Function-Error-Type")
        self._environment(request).init_error(await request.read(), error_type)
        return web.Response(status=202, text=_ACCEPTED, content_type="application/json")

    def _settled(self, request: web.Request, outcome: Outcome, *, status: int = 202) -> web.Response:
        if not self._environment(request).respond(request.match_info["request_id"], outcome):
            body = json.dumps({"errorType": "InvalidRequestID", "errorMessage": "Invalid request ID"})
            return web.Response(status=400, text=body, content_type="application/json")
        return web.Response(status=status, text=_ACCEPTED, content_type="application/json")
