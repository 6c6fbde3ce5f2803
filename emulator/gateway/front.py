"""What one port serves: which request goes to the WebSocket, to `@connections`, to Lambda or to the rest."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from urllib.parse import unquote

from starlette.types import ASGIApp

from emulator.gateway.address import OwnAddress
from emulator.gateway.api import WebSocketApi
from emulator.gateway.asgi import JSON, ClientLeft, Receive, Scope, Send, respond, respond_error
from emulator.gateway.handshake import Handshake, refusal
from emulator.gateway.http import UpgradeRequest
from emulator.gateway.ids import new_id
from emulator.gateway.invoke import InvokeEndpoint
from emulator.gateway.limits import Limits
from emulator.gateway.management import manage
from emulator.gateway.socket import Socket

_CONNECTIONS = "@connections"
_INVOKE_PREFIX = "/2015-03-31/functions/"
_INVOKE_SUFFIX = "/invocations"
_OWN = "/_emulator/"
_HEALTH = "/_emulator/health"
_TOKEN = "/token"
# https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-execution-service-websocket-limits-table.html
_URL_CHARS = 4096


class Front:
    """The ASGI application and the WebSocket side of one port. Reserved paths win over stages, stages over `rest`.

    `host` is what the port listens on. What acts, or tells of the application, is not for pages from elsewhere; a
    WebSocket is, as on AWS.
    """

    def __init__(self, *, limits: Limits, rest: ASGIApp, host: str = "127.0.0.1") -> None:
        self._limits = limits
        self._address = OwnAddress(host)
        self._rest = rest
        self._apis: dict[str, WebSocketApi] = {}
        self._invoke: InvokeEndpoint | None = None
        self.ready = False

    def serve(self, apis: Sequence[WebSocketApi], invoke: InvokeEndpoint) -> None:
        """Begin to serve these. Until `ready` is set, health answers 503."""
        self._apis = {api.spec.stage: api for api in apis}
        self._invoke = invoke

    @property
    def apis(self) -> tuple[WebSocketApi, ...]:
        """What is served."""
        return tuple(self._apis.values())

    def limit(self, limits: Limits) -> None:
        """Keep other limits from now on."""
        self._limits = limits
        for api in self._apis.values():
            api.limit(limits)

    async def stop(self) -> None:
        """Close all sockets."""
        self.ready = False
        for api in self._apis.values():
            await api.stop()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One HTTP request."""
        with suppress(ClientLeft):
            await self._dispatch(scope, receive, send)

    async def _dispatch(self, scope: Scope, receive: Receive, send: Send) -> None:
        path: str = scope["path"]
        refusal = self._refusal(path, scope)
        if refusal is not None:
            await respond_error(send, 403, "ForbiddenException", new_id(), message=refusal)
        elif path.startswith(_INVOKE_PREFIX) and path.endswith(_INVOKE_SUFFIX) and self._invoke is not None:
            function = path.removeprefix(_INVOKE_PREFIX).removesuffix(_INVOKE_SUFFIX)
            await self._invoke(function, scope, receive, send)
        elif path == _HEALTH:
            status, body = (200, b'{"status": "ready"}') if self.ready else (503, b'{"status": "starting"}')
            await respond(send, status, body, headers=(JSON,))
        elif _is_management(path):
            await self._manage(path, scope, receive, send)
        elif path.strip("/") in self._apis:
            await respond_error(send, 426, "UpgradeRequiredException", new_id(), message="This is a WebSocket API")
        else:
            await self._rest(scope, receive, send)

    def _refusal(self, path: str, scope: Scope) -> str | None:
        if path.startswith((_OWN, _INVOKE_PREFIX)) or _is_management(path):
            return self._address.refusal_with_origin(scope)
        # The token's endpoint is read by pages of the emulator alone, by the rules of browsers; not if they are misled.
        return self._address.refusal(scope) if path.rstrip("/") == _TOKEN else None

    async def _manage(self, path: str, scope: Scope, receive: Receive, send: Send) -> None:
        stage, _, below = path.strip("/").partition("/")
        api = self._apis.get(stage)
        marker, _, connection_id = below.partition("/")
        if api is None or marker != _CONNECTIONS:
            await respond_error(send, 403, "ForbiddenException", new_id(), message="Forbidden")
        else:
            await manage(api, connection_id, scope, receive, send)

    def upgrade(self, transport: asyncio.Transport, request: UpgradeRequest) -> Socket:
        """One WebSocket upgrade request."""
        socket = Socket(transport, limits=self._limits)
        if not socket.begin(request.raw):
            return socket
        stage = unquote(request.path).strip("/")
        api = self._apis.get(stage)
        if request.length > _URL_CHARS:
            socket.refuse(refusal(414, "Request URI too long", "RequestUriTooLongException", new_id()))
            return socket
        if api is None:
            # A stage or path that does not exist is Forbidden, as any unknown resource of API Gateway.
            socket.refuse(refusal(403, "Forbidden", "ForbiddenException", new_id()))
            return socket
        handshake = Handshake(
            stage=stage,
            query=request.query,
            headers=request.headers,
            source_ip=request.client[0],
            port=transport.get_extra_info("sockname")[1],
            secure=transport.get_extra_info("sslcontext") is not None,
        )
        api.handshake(socket, handshake)
        return socket


def _is_management(path: str) -> bool:
    """Whether a path is meant for `@connections`, even if what stands before it is no stage."""
    return f"/{_CONNECTIONS}" in path
