"""A loopback HTTP/1.1 server whose answers a test writes byte by byte."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from pydantic import JsonValue


@dataclass(frozen=True, slots=True)
class Request:
    """One request as it came."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    def json(self) -> dict[str, JsonValue]:
        loaded: dict[str, JsonValue] = json.loads(self.body)
        return loaded


class Reply:
    """Writes one response: `begin`, any number of `send`, `end`."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def whole(self, status: int, content_type: str, body: bytes, **headers: str) -> None:
        """A response with a length."""
        await self._head(status, content_type, f"Content-Length: {len(body)}", **headers)
        self._writer.write(body)
        await self._writer.drain()

    async def begin(self, content_type: str, **headers: str) -> None:
        """The head of a streamed response, in chunks (RFC 9112, section 7.1)."""
        await self._head(200, content_type, "Transfer-Encoding: chunked", **headers)

    async def send(self, data: bytes) -> None:
        """One chunk."""
        self._writer.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")
        await self._writer.drain()

    async def end(self) -> None:
        """The last chunk."""
        self._writer.write(b"0\r\n\r\n")
        await self._writer.drain()

    async def closed(self) -> None:
        """Returns when the client has closed its side."""
        while await self._reader.read(4096):
            pass

    async def _head(self, status: int, content_type: str, length: str, **headers: str) -> None:
        more = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
        self._writer.write(f"HTTP/1.1 {status} X\r\nContent-Type: {content_type}\r\n{length}\r\n{more}\r\n".encode())
        await self._writer.drain()


Answer = Callable[[Reply], Awaitable[None]]


@dataclass(slots=True)
class ModelServer:
    """Gives the next of `answers` to each request, and keeps the requests. `otherwise` is given when none is left."""

    answers: list[Answer]
    otherwise: Answer | None = None
    url: str = ""
    requests: list[Request] = field(default_factory=list)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while (request := await _read(reader)) is not None:
                self.requests.append(request)
                answer = self.answers.pop(0) if self.answers or self.otherwise is None else self.otherwise
                await answer(Reply(reader, writer))
        except ConnectionError:
            return  # the client went away, as some tests want it to
        finally:
            writer.close()


@asynccontextmanager
async def model_server(*answers: Answer, otherwise: Answer | None = None) -> AsyncIterator[ModelServer]:
    """Serves these answers on a free port of the loopback interface."""
    served = ModelServer(list(answers), otherwise)
    server = await asyncio.start_server(served.serve, "127.0.0.1", 0)
    served.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield served
    finally:
        server.close()


async def _read(reader: asyncio.StreamReader) -> Request | None:
    line = (await reader.readline()).decode()
    if not line:
        return None
    method, path, _ = line.split()
    headers: dict[str, str] = {}
    while (line := (await reader.readline()).decode().strip()) != "":
        name, _, value = line.partition(":")
        headers[name.strip().lower()] = value.strip()
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return Request(method, path, headers, body)
