"""uvicorn's HTTP/1.1 protocol, with WebSocket upgrades handed to the gateway."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

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


class GatewayHttpProtocol(HttpToolsProtocol):
    """Plain HTTP goes to the ASGI application, an upgrade to `upgrade` of the subclass."""

    upgrade: Upgrade

    def on_message_begin(self) -> None:
        """A request starts."""
        self._spelled: list[tuple[bytes, bytes]] = []
        super().on_message_begin()

    def on_header(self, name: bytes, value: bytes) -> None:
        """One header, as the client spelled it."""
        self._spelled.append((name, value))
        super().on_header(name, value)

    def handle_websocket_upgrade(self) -> None:
        """Give the transport away."""
        self.connections.discard(self)
        method: Any = self.scope["method"]
        request = UpgradeRequest(method.encode(), self.url, self._spelled, self.client or ("127.0.0.1", 0))
        protocol = type(self).upgrade(self.transport, request)
        if protocol is not None:
            self.transport.set_protocol(protocol)


def protocol_class(upgrade: Upgrade) -> type[GatewayHttpProtocol]:
    """The protocol class for one server."""
    return type("BoundGatewayHttpProtocol", (GatewayHttpProtocol,), {"upgrade": staticmethod(upgrade)})
