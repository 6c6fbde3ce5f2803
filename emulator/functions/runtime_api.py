"""The Lambda Runtime API, one loopback port for each environment.

https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html. The runtime client takes `host:port` and nothing else,
so the port is what tells one environment from another.

Two requests belong to every invocation, so this is asyncio and an HTTP parser with no framework in between.
"""

import asyncio
import json
import socket
from functools import partial
from typing import cast

import httptools

from emulator.functions.call import Call, Outcome, failure
from emulator.functions.environment import Environment
from emulator.functions.lifecycle import IllegalTransition
from emulator.functions.options import RESPONSE_PAYLOAD_BYTES

_API = "/2018-06-01/runtime/"
_ACCEPTED = json.dumps({"status": "OK"}).encode()
_REASONS = {
    200: "OK",
    202: "Accepted",
    400: "Bad Request",
    403: "Forbidden",
    404: "Not Found",
    413: "Content Too Large",
}


class RuntimeApi:
    """Serves any number of environments from one event loop."""

    def __init__(self) -> None:
        self._ports: dict[Environment, _Port] = {}

    async def stop(self) -> None:
        """Close every port."""
        for environment in tuple(self._ports):
            await self.close(environment)

    async def open(self, environment: Environment) -> str:
        """A new port for `environment`; returns its `host:port`."""
        port = self._ports[environment] = _Port(environment)
        return await port.open()

    async def close(self, environment: Environment) -> None:
        """Close the port of an environment that has ended."""
        port = self._ports.pop(environment, None)
        if port is not None:
            port.close()


class _Port:
    """The listening port of one environment, and who has connected to it."""

    def __init__(self, environment: Environment) -> None:
        self._environment = environment
        self._server: asyncio.Server | None = None
        self._connections: set[_Connection] = set()

    async def open(self) -> str:
        """Listen; returns `host:port`."""
        listener = socket.create_server(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        try:
            self._server = await asyncio.get_running_loop().create_server(self._connected, sock=listener)
        except BaseException:
            listener.close()
            raise
        return f"127.0.0.1:{port}"

    def close(self) -> None:
        """Leave the port and break off every connection."""
        if self._server is not None:
            self._server.close()
        for connection in tuple(self._connections):
            connection.abort()

    def _connected(self) -> "_Connection":
        return _Connection(self._environment, self._connections)


class _Connection(asyncio.Protocol):
    """One connection of the runtime client, which sends its requests one after the other."""

    def __init__(self, environment: Environment, connections: "set[_Connection]") -> None:
        self._environment = environment
        self._connections = connections
        self._transport: asyncio.Transport | None = None
        self._parser = httptools.HttpRequestParser(self)
        self._url = b""
        self._headers: dict[bytes, bytes] = {}
        self._body: list[bytes] = []
        self._polling = False

    def abort(self) -> None:
        """Break off."""
        if self._transport is not None:
            self._transport.abort()

    # asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A connection is there."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is none by name
        self._connections.add(self)

    def data_received(self, data: bytes) -> None:
        """Bytes of the client."""
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError:
            self._respond(400, b"", keep=False)

    def connection_lost(self, exc: Exception | None) -> None:
        """The client has left; whether its process has ended is told elsewhere."""
        self._connections.discard(self)

    # httptools

    def on_message_begin(self) -> None:
        """A request starts."""
        self._url, self._headers, self._body = b"", {}, []

    def on_url(self, url: bytes) -> None:
        """A piece of the request's target."""
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        """One header."""
        self._headers[name.lower()] = value

    def on_headers_complete(self) -> None:
        """A client with a long body may ask first (RFC 9110 section 10.1.1)."""
        if self._headers.get(b"expect", b"").lower() == b"100-continue" and self._transport is not None:
            self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def on_body(self, body: bytes) -> None:
        """A piece of the body."""
        self._body.append(body)

    def on_message_complete(self) -> None:
        """A request is whole."""
        if self._polling:
            self.abort()  # nobody may ask on while a poll waits for its answer
            return
        keep = self._parser.should_keep_alive()
        method = self._parser.get_method().decode()
        match [method, *self._url.decode("latin-1").removeprefix(_API).split("/")]:
            case ["GET", "invocation", "next"]:
                self._next(keep)
            case ["POST", "invocation", request_id, "response"]:
                self._response(request_id, b"".join(self._body), keep=keep)
            case ["POST", "invocation", request_id, "error"]:
                self._settle(request_id, Outcome(b"".join(self._body), failed=True), keep=keep)
            case ["POST", "init", "error"]:
                # https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html#runtimes-api-initerror
                error_type = self._headers.get(b"lambda-runtime-function-error-type")
                given = None if error_type is None else error_type.decode("latin-1")
                self._environment.init_error(b"".join(self._body), given)
                self._respond(202, _ACCEPTED, keep=keep)
            case _:
                self._respond(404, b"", keep=keep)

    # Answers

    def _next(self, keep: bool) -> None:
        self._polling = True
        try:
            self._environment.next(partial(self._hand_over, keep=keep))
        except IllegalTransition as error:
            self._polling = False
            self._respond(403, json.dumps({"errorMessage": str(error)}).encode(), keep=keep)

    def _hand_over(self, call: Call, *, keep: bool) -> None:
        self._polling = False
        # A client context is JSON, in which a line end is as good as a space; in a header there is none.
        headers = (f"{name}: {' '.join(value.splitlines())}\r\n" for name, value in call.headers().items())
        self._respond(200, call.payload, headers="".join(headers), keep=keep)

    def _response(self, request_id: str, body: bytes, *, keep: bool) -> None:
        if len(body) > RESPONSE_PAYLOAD_BYTES:
            # The invocation ends as an error, the environment lives on.
            too_large = failure(
                "Function.ResponseSizeTooLarge",
                f"Response payload size exceeded maximum allowed payload size ({RESPONSE_PAYLOAD_BYTES - 100} bytes).",
            )
            self._settle(request_id, too_large, status=413, keep=keep)
        else:
            self._settle(request_id, Outcome(body, failed=False), keep=keep)

    def _settle(self, request_id: str, outcome: Outcome, *, status: int = 202, keep: bool) -> None:
        if self._environment.respond(request_id, outcome):
            self._respond(status, _ACCEPTED, keep=keep)
        else:
            body = {"errorType": "InvalidRequestID", "errorMessage": "Invalid request ID"}
            self._respond(400, json.dumps(body).encode(), keep=keep)

    def _respond(self, status: int, body: bytes, *, headers: str = "", keep: bool) -> None:
        if self._transport is None or self._transport.is_closing():
            return
        ends = "" if keep else "Connection: close\r\n"
        head = f"HTTP/1.1 {status} {_REASONS[status]}\r\nContent-Type: application/json\r\n{ends}{headers}"
        self._transport.write(b"%sContent-Length: %d\r\n\r\n%s" % (head.encode(), len(body), body))
        if not keep:
            self._transport.close()
