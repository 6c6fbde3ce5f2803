"""A counting forward proxy: a port for each function, so that every call is known by who made it.

botocore sends plain-http requests through `HTTP_PROXY`; the address that is really called comes in the request line
(RFC 9112, section 3.2.2), so one proxy serves all endpoints.
"""

import asyncio
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Final, Self
from urllib.parse import urlsplit

from aiohttp import ClientSession, TCPConnector, web
from multidict import CIMultiDict, CIMultiDictProxy
from yarl import URL

_HOP_BY_HOP: Final = frozenset(
    {"connection", "content-length", "keep-alive", "proxy-connection", "transfer-encoding", "date", "server"}
)
_DYNAMODB: Final = re.compile(r"DynamoDB_\d+\.(\w+)")
_LINE_END: Final = len("\r\n")


@dataclass(frozen=True, slots=True)
class Call:
    """One call that a function made, and its answer. Sizes are bytes of heads and bodies; `at` is a reading of the
    performance counter when the answer was there."""

    function: str
    api: str
    sent: int
    received: int
    status: int
    at: float
    request: bytes
    response: bytes


class Proxy:
    """`async with Proxy(("router", "engine")) as proxy`; `proxy.urls` tells each function's address."""

    def __init__(self, functions: Sequence[str]) -> None:
        self.calls: list[Call] = []
        self.urls: dict[str, str] = {}
        self._functions = functions
        self._runners: list[web.ServerRunner] = []
        self._client: ClientSession | None = None

    async def __aenter__(self) -> Self:
        self._client = ClientSession(connector=TCPConnector(limit=0), auto_decompress=False)
        for function in self._functions:
            runner = web.ServerRunner(web.Server(self._serving(function), access_log=None))
            self._runners.append(runner)
            await runner.setup()
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            self.urls[function] = f"http://127.0.0.1:{runner.addresses[0][1]}"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await asyncio.gather(*(runner.cleanup() for runner in self._runners))
        if self._client is not None:
            await self._client.close()

    def _serving(self, function: str) -> "_Serving":
        return _Serving(self, function)

    async def pass_on(self, function: str, request: web.BaseRequest) -> web.StreamResponse:
        """Sends the request where it was meant for, and notes both ways."""
        assert self._client is not None  # entered
        body = await request.read()
        headers = CIMultiDict((k, v) for k, v in request.headers.items() if k.lower() not in _HOP_BY_HOP)
        target = URL(request.raw_path, encoded=True)
        async with self._client.request(
            request.method, target, headers=headers, data=body, allow_redirects=False, skip_auto_headers=("Accept",)
        ) as answer:
            content = await answer.read()
            kept = CIMultiDict((k, v) for k, v in answer.headers.items() if k.lower() not in _HOP_BY_HOP)
            head = len(f"HTTP/1.1 {answer.status} {answer.reason}") + _LINE_END + _head_bytes(answer.headers)
            call = Call(
                function=function,
                api=_api(request),
                sent=len(f"{request.method} {urlsplit(request.raw_path).path} HTTP/1.1")
                + _LINE_END
                + _head_bytes(request.headers)
                + len(body),
                received=head + len(content),
                status=answer.status,
                at=time.perf_counter(),
                request=body,
                response=content,
            )
            self.calls.append(call)
            return web.Response(status=answer.status, body=content, headers=kept)


@dataclass(frozen=True, slots=True)
class _Serving:
    proxy: Proxy
    function: str

    async def __call__(self, request: web.BaseRequest) -> web.StreamResponse:
        return await self.proxy.pass_on(self.function, request)


def _api(request: web.BaseRequest) -> str:
    path = urlsplit(request.raw_path).path
    if target := _DYNAMODB.fullmatch(request.headers.get("X-Amz-Target", "")):
        return target[1]
    if "/@connections/" in path:
        return {"POST": "PostToConnection", "GET": "GetConnection"}.get(request.method, "DeleteConnection")
    if path.startswith("/2015-03-31/functions/"):
        return "Invoke"
    return f"(not AWS) {request.method} {path}"


def _head_bytes(headers: "CIMultiDictProxy[str]") -> int:
    return sum(len(name) + len(": ") + len(value) + _LINE_END for name, value in headers.items()) + _LINE_END
