"""uvicorn's HTTP/1.1 protocol, with WebSocket upgrades handed to the gateway."""

import asyncio
import json
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

# What HTTP APIs take of header values; the quotas of WebSocket APIs name no figure:
# https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html
_VALUES_BYTES = 10_240
# Of all that stands before a body, so that no client can fill the memory with names, or with one line without an end.
_HEAD_BYTES = 64 * 1024
# How long a client that is refused may go on sending.
_LINGER_S = 1.0

Upgrade = Callable[[asyncio.Transport, "UpgradeRequest"], asyncio.Protocol | None]


class UpgradeRequest:
    """An upgrade request as it came: path, query, and headers spelled as the client did (uvicorn lower-cases them).

    `length` is that of the whole URL, in characters.
    """

    def __init__(self, method: bytes, url: bytes, headers: list[tuple[bytes, bytes]], client: tuple[str, int]) -> None:
        path, _, query = url.partition(b"?")
        self.path = path.decode("latin-1")
        self.query = query.decode("latin-1")
        self.headers = tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in headers)
        self.client = client
        host = next((value for name, value in headers if name.lower() == b"host"), b"")
        self.length = len(b"wss://") + len(host) + len(url)
        lines = b"".join(name + b": " + value + b"\r\n" for name, value in headers)
        self.raw = method + b" " + url + b" HTTP/1.1\r\n" + lines + b"\r\n"


class NoWebSocket(asyncio.Protocol):
    """Stands where uvicorn wants a WebSocket protocol class; never used, since upgrades are taken before."""


class _BadHead(Exception):
    """The head of a request is refused; the parser gives up on whatever a callback raises."""


class GatewayHttpProtocol(HttpToolsProtocol):
    """Plain HTTP goes to the ASGI application, an upgrade to `upgrade` of the subclass.

    A client that has begun a request, or has only connected, may be silent for `patience` seconds.
    """

    upgrade: Upgrade
    patience: float

    _spelled: list[tuple[bytes, bytes]]
    _silence: asyncio.TimerHandle | None = None
    _receiving = True
    _in_head = True
    _head_bytes = 0
    _names_bytes = 0
    _values_bytes = 0
    _refused = HTTPStatus.BAD_REQUEST
    _refused_finally = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as in uvicorn
        """A client is there."""
        super().connection_made(transport)
        self._listen()

    def connection_lost(self, exc: Exception | None) -> None:
        """It has left."""
        self._listen(False)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Bytes of the client."""
        if self._refused_finally:
            return
        self._head_bytes += len(data)
        super().data_received(data)
        # Of a line that has not ended the parser says nothing, but keeps it.
        if self._in_head and self._head_bytes > _HEAD_BYTES and not self._refused_finally:
            self._answer(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)
        if not self._refused_finally:
            self._listen(self._receiving and not self.transport.is_closing())

    def on_message_begin(self) -> None:
        """A request starts."""
        self._spelled = []
        self._receiving = self._in_head = True
        self._head_bytes = self._names_bytes = self._values_bytes = 0
        super().on_message_begin()

    def on_header(self, name: bytes, value: bytes) -> None:
        """One header, as the client spelled it."""
        self._spelled.append((name, value))
        self._names_bytes += len(name)
        self._values_bytes += len(value)
        if self._values_bytes > _VALUES_BYTES or self._names_bytes > _HEAD_BYTES:
            self._refused = HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE
            raise _BadHead
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """The head of a request is there."""
        hosts = sum(name.lower() == b"host" for name, _ in self._spelled)
        # https://www.rfc-editor.org/rfc/rfc9112.html#section-3.2
        if hosts > 1 or (hosts == 0 and self.parser.get_http_version() == "1.1"):
            raise _BadHead
        self._in_head = False
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """A request is whole."""
        self._receiving = False
        super().on_message_complete()

    def send_400_response(self, msg: str) -> None:
        """Refuse what can't be read on, and hang up."""
        self._answer(self._refused)

    def _answer(self, status: HTTPStatus) -> None:
        body = json.dumps({"message": status.phrase}).encode()
        head = f"HTTP/1.1 {status.value} {status.phrase}\r\nContent-Type: application/json\r\n"
        head += f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
        self.transport.write(head.encode() + body)
        self._refused_finally = True
        self._listen(False)
        if self.transport.can_write_eof():
            # Reading goes on (and is thrown away) so that the answer is not lost to a TCP reset.
            self.transport.write_eof()
            self._silence = self.loop.call_later(_LINGER_S, self.transport.close)
        else:
            self.transport.close()

    def _listen(self, further: bool = True) -> None:
        """Begin to wait for the client's next bytes, or wait no more."""
        if self._silence is not None:
            self._silence.cancel()
        self._silence = self.loop.call_later(type(self).patience, self._silent) if further else None

    def _silent(self) -> None:
        answering = self.cycle is not None and not self.cycle.response_complete
        if self.flow.read_paused or (self._in_head and answering):
            self._listen()  # not the client is slow, or an earlier request of it has still to be answered
        elif self._in_head or (answering and not self.cycle.response_started):
            self._answer(HTTPStatus.REQUEST_TIMEOUT)
        else:
            self.transport.close()

    def handle_websocket_upgrade(self) -> None:
        """Give the transport away."""
        self._receiving = False
        self.connections.discard(self)
        method: Any = self.scope["method"]
        request = UpgradeRequest(method.encode(), self.url, self._spelled, self.client or ("127.0.0.1", 0))
        protocol = type(self).upgrade(self.transport, request)
        if protocol is not None:
            self.transport.set_protocol(protocol)


def protocol_class(upgrade: Upgrade, *, patience: float) -> type[GatewayHttpProtocol]:
    """The protocol class for one server."""
    members = {"upgrade": staticmethod(upgrade), "patience": patience}
    return type("BoundGatewayHttpProtocol", (GatewayHttpProtocol,), members)
