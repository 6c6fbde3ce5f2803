"""The front of DynamoDB: makes what stands behind it sound for concurrent clients.

moto answers from plain dictionaries in several threads: reads create entries, a transaction shows its half-done work,
a failing one puts old items back. So one request is let through at a time, in the order of arrival, reads too; behind
moto's interpreter lock that costs no throughput. DynamoDB Local is sound and honours tokens itself, across restarts
too: it gets every request at once.
"""

import asyncio
import json
from contextlib import nullcontext
from typing import Literal, Protocol

from aiohttp import ClientSession, TCPConnector, web
from multidict import CIMultiDict

from emulator.state.tokens import ParameterMismatch, Tokens, Transaction

_TRANSACTION = "DynamoDB_20120810.TransactWriteItems"
_HOP_BY_HOP = frozenset({"connection", "content-length", "date", "keep-alive", "server", "transfer-encoding"})
_JSON = "application/x-amz-json-1.0"


RequestFault = Literal["throttled", "answer_lost"]


class Faults(Protocol):
    """What shall go wrong next."""

    def on_request(self, operation: str) -> RequestFault | None:
        """Refuse a request such as `PutItem` before anything is done, or do it and drop the answer."""
        ...


class NoFaults:
    """Nothing goes wrong."""

    def on_request(self, operation: str) -> RequestFault | None:
        """No fault."""
        return None


class DynamoDbFront:
    """A loopback HTTP server in the emulator's own process; `url` is known once started.

    `tokens` is None if what stands behind is sound by itself. `authorization` replaces the client's own header.
    """

    def __init__(
        self, behind: str, *, tokens: Tokens | None, authorization: str | None = None, faults: Faults | None = None
    ) -> None:
        self._behind = behind
        self._faults = faults or NoFaults()
        self._tokens = tokens
        self._authorization = authorization
        self._turn = asyncio.Lock() if tokens is not None else nullcontext()
        self._client: ClientSession | None = None
        app = web.Application(client_max_size=0)  # DynamoDB's own limits hold
        app.router.add_post("/", self._serve)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)
        self.url = ""

    async def start(self) -> None:
        """Listen on a free port."""
        self._client = ClientSession(connector=TCPConnector(limit=8 if self._tokens else 64), auto_decompress=False)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0, backlog=512)
        await site.start()
        host, port = self._runner.addresses[0][:2]
        self.url = f"http://{host}:{port}"

    async def stop(self) -> None:
        """Close."""
        await self._runner.cleanup()
        if self._client is not None:
            await self._client.close()

    async def _serve(self, request: web.Request) -> web.Response:
        try:
            body = await request.read()
        except OSError:
            # The function was killed halfway through its request: nobody waits for an answer, nothing was begun.
            return web.Response(status=400)
        fault = self._faults.on_request(request.headers.get("X-Amz-Target", "").rpartition(".")[2])
        if fault == "throttled":
            return _throttled()
        response = await self._answer(request, body)
        if fault == "answer_lost" and request.transport is not None:
            request.transport.abort()
        return response

    async def _answer(self, request: web.Request, body: bytes) -> web.Response:
        async with self._turn:
            transaction = Transaction.of(body) if request.headers.get("X-Amz-Target") == _TRANSACTION else None
            if self._tokens is None or transaction is None:
                return await self._pass_on(request, body)
            try:
                if self._tokens.is_done(transaction):
                    return web.Response(body=b"{}", content_type=_JSON)
            except ParameterMismatch as mismatch:
                return _refusal(mismatch)
            response = await self._pass_on(request, body)
            if response.status == 200:
                self._tokens.remember(transaction)
            return response

    async def _pass_on(self, request: web.Request, body: bytes) -> web.Response:
        assert self._client is not None
        headers = CIMultiDict(request.headers)
        headers.popall("Content-Length", None)
        if self._authorization is not None:
            headers["Authorization"] = self._authorization
        async with self._client.post(self._behind, data=body, headers=headers) as answer:
            content = await answer.read()
            kept = CIMultiDict(
                (name, value) for name, value in answer.headers.items() if name.lower() not in _HOP_BY_HOP
            )
            return web.Response(status=answer.status, body=content, headers=kept)


def _throttled() -> web.Response:
    # https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html
    body = {
        "__type": "com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException",
        "message": "The level of configured provisioned throughput for the table was exceeded.",
    }
    return web.Response(status=400, body=json.dumps(body).encode(), content_type=_JSON)


def _refusal(mismatch: ParameterMismatch) -> web.Response:
    body = {
        "__type": "com.amazonaws.dynamodb.v20120810#IdempotentParameterMismatchException",
        "Message": f"The request uses the client token {mismatch} of another request",
    }
    return web.Response(status=400, body=json.dumps(body).encode(), content_type=_JSON)
