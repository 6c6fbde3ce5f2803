"""A Runtime API and an `@connections` that do nothing: what the runtime client and a handler take without an emulator.

The runtime client gets the same event again and again, and every moment at which it comes or goes is noted.
"""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

from bench.gateway.peers import APPLICATION
from bench.gateway.program import Program, free_ports

_WARM_UP = 50
_NEXT_HEADERS = (
    b"Lambda-Runtime-Aws-Request-Id: 11111111-2222-3333-4444-555555555555\r\n"
    b"Lambda-Runtime-Deadline-Ms: 4102444800000\r\n"
    b"Lambda-Runtime-Invoked-Function-Arn: arn:aws:lambda:us-east-1:123456789012:function:Echo\r\n"
    b"Lambda-Runtime-Trace-Id: Root=1-00000000-000000000000000000000000;Parent=0000000000000000;Sampled=0\r\n"
)


@dataclass(slots=True)
class Steps:
    """Seconds of each step of each invocation, as the server saw them."""

    until_post: list[float] = field(default_factory=list)
    until_response: list[float] = field(default_factory=list)
    until_next: list[float] = field(default_factory=list)


class _Server(asyncio.Protocol):
    """Both APIs on one port; requests of one connection come one after the other."""

    last = 0.0  # when the runtime client was last given something, over all connections

    def __init__(self, event: bytes, steps: Steps, number: int, pause_s: float, done: asyncio.Event) -> None:
        self._event = event
        self._steps = steps
        self._number = number
        self._pause_s = pause_s
        self._done = done
        self._data = b""
        self._transport: asyncio.WriteTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.WriteTransport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        now = time.perf_counter()
        self._data += data
        head, there, body = self._data.partition(b"\r\n\r\n")
        if not there or len(body) < _length(head):
            return
        self._data = b""
        line = head.split(b"\r\n", 1)[0]
        took = now - _Server.last
        if line.endswith(b"/invocation/next HTTP/1.1"):
            self._steps.until_next.append(took)
            asyncio.get_running_loop().call_later(self._pause_s, self._answer, self._event, _NEXT_HEADERS)
            return
        if b"@connections" in line:
            self._steps.until_post.append(took)
        else:
            self._steps.until_response.append(took)
            if len(self._steps.until_response) >= self._number:
                self._done.set()
        self._answer(b"{}", b"")

    def _answer(self, body: bytes, headers: bytes) -> None:
        _Server.last = time.perf_counter()
        assert self._transport is not None
        self._transport.write(
            b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n%sContent-Length: %d\r\n\r\n%s"
            % (headers, len(body), body)
        )


def floor(event_type: str, *, number: int, pause_s: float, within_s: float) -> Steps:
    """The steps of `number` invocations with this `eventType`, with a pause before each, after some to warm up.

    Raises `TimeoutError`.
    """
    return asyncio.run(_floor(event_type, number, pause_s, within_s))


async def _floor(event_type: str, number: int, pause_s: float, within_s: float) -> Steps:
    steps, done = Steps(), asyncio.Event()
    event = json.dumps(
        {
            "requestContext": {
                "routeKey": "$default",
                "eventType": event_type,
                "messageId": "a" * 16,
                "extendedRequestId": "a" * 16,
                "requestTime": "22/Nov/2026:10:00:00 +0000",
                "messageDirection": "IN",
                "stage": "live",
                "connectedAt": 1795341600000,
                "requestTimeEpoch": 1795341600000,
                "identity": {"userAgent": "Python/3.13 websockets", "sourceIp": "127.0.0.1"},
                "requestId": "a" * 16,
                "domainName": "127.0.0.1",
                "connectionId": "a" * 15 + "=",
                "apiId": "a" * 10,
            },
            "body": "message",
            "isBase64Encoded": False,
        }
    ).encode()
    (port,) = free_ports(1)
    address = f"127.0.0.1:{port}"
    server = await asyncio.get_running_loop().create_server(
        lambda: _Server(event, steps, number + _WARM_UP, pause_s, done), "127.0.0.1", port
    )
    variables = {
        "AWS_LAMBDA_RUNTIME_API": address,
        "AWS_EXECUTION_ENV": "AWS_Lambda_python3.13",  # the runtime client polls in a thread then, as on Lambda
        "AWS_LAMBDA_FUNCTION_NAME": "Echo",
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "1024",
        "AWS_LAMBDA_LOG_GROUP_NAME": "Echo",
        "AWS_LAMBDA_LOG_STREAM_NAME": "Echo",
        "AWS_ENDPOINT_URL_APIGATEWAYMANAGEMENTAPI": f"http://{address}/live",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_EC2_METADATA_DISABLED": "true",
        "PYTHONPATH": str(APPLICATION),
    }
    with tempfile.TemporaryDirectory(prefix="bench-gateway-") as scratch:
        command = [sys.executable, "-m", "awslambdaric", "app.handler"]
        program = Program(command, folder=APPLICATION, variables=variables, log=Path(scratch) / "floor.log")
        try:
            async with asyncio.timeout(within_s):
                await done.wait()
        finally:
            program.stop()
            server.close()
    return Steps(steps.until_post[_WARM_UP:], steps.until_response[_WARM_UP:], steps.until_next[_WARM_UP:])


def _length(head: bytes) -> int:
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            return int(line.partition(b":")[2])
    return 0
