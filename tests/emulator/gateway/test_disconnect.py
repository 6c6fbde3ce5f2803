"""The end of a connection: by the client, the application, the quotas, the network.

Sources: https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-api-route-keys-connect-disconnect.html
and https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-execution-service-websocket-limits-table.html.
"""

from __future__ import annotations

import asyncio

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from tests.emulator.gateway.harness import Event, allow, running


async def test_the_disconnect_event_has_the_documented_fields() -> None:
    """It carries the close code, the reason, the authorizer's context and next to no headers."""

    async def authorize(event: Event) -> object:
        return allow(event, user="alice")

    async with running(authorizer="authorizer", handlers={"authorizer": authorize}) as gateway:
        async with connect(gateway.ws) as socket:
            await socket.close(4001, "enough")
        (event,) = await gateway.functions.wait_for("disconnect")
    context = event["requestContext"]
    assert set(event) == {"headers", "multiValueHeaders", "requestContext", "isBase64Encoded"}
    assert event["headers"] == {
        "Host": f"127.0.0.1:{gateway.port}", "x-api-key": "", "X-Forwarded-For": "", "x-restapi": "",
    }  # fmt: skip
    assert (context["routeKey"], context["eventType"]) == ("$disconnect", "DISCONNECT")
    assert (context["disconnectStatusCode"], context["disconnectReason"]) == (4001, "enough")
    assert context["authorizer"]["user"] == "alice"
    assert "messageId" not in context


@pytest.mark.parametrize(
    ("code", "expected"),
    [(1000, (1000, "Connection Closed Normally")), (1001, (1001, "Going away"))],
)
async def test_a_close_without_reason_gets_the_usual_one(code: int, expected: tuple[int, str]) -> None:
    """API Gateway words the reason when the client gave none."""
    async with running() as gateway:
        async with connect(gateway.ws) as socket:
            await socket.close(code)
        (event,) = await gateway.functions.wait_for("disconnect")
    context = event["requestContext"]
    assert (context["disconnectStatusCode"], context["disconnectReason"]) == expected


async def test_a_close_without_code_is_1005() -> None:
    """An empty close frame is told as 1005 with API Gateway's words."""
    async with running() as gateway, connect(gateway.ws) as socket:
        socket.transport.write(b"\x88\x80\x00\x00\x00\x00")
        (event,) = await gateway.functions.wait_for("disconnect")
    context = event["requestContext"]
    assert context["disconnectStatusCode"] == 1005
    assert context["disconnectReason"] == "Client-side close frame status not set"


async def test_a_client_that_leaves_during_connect_is_told_of_too() -> None:
    """The integration said yes, so the application has to hear that the connection is over."""
    release = asyncio.Event()

    async def hold(event: Event) -> object:
        await release.wait()
        return {"statusCode": 200}

    async with running(handlers={"connect": hold}) as gateway:
        _, writer = await asyncio.open_connection("127.0.0.1", gateway.port)
        lines = ["GET /live HTTP/1.1", "Host: x", "Connection: Upgrade", "Upgrade: websocket"]
        lines += ["Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", "", ""]
        writer.write("\r\n".join(lines).encode())
        await gateway.functions.wait_for("connect")
        writer.transport.abort()
        release.set()
        (event,) = await gateway.functions.wait_for("disconnect")
        assert event["requestContext"]["disconnectStatusCode"] == 1006


async def test_a_stopping_gateway_closes_its_sockets() -> None:
    """The client sees 1012; the application is told nothing, as when a whole gateway is lost."""
    async with running() as gateway:
        socket = await connect(gateway.ws)
    with pytest.raises(ConnectionClosed) as closed:
        await asyncio.wait_for(socket.recv(), 5)
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1012
    assert gateway.functions.of("disconnect") == []
