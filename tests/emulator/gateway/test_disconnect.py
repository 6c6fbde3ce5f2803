"""The end of a connection: by the client, the application, the quotas, the network.

Sources: https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-api-route-keys-connect-disconnect.html
and https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-execution-service-websocket-limits-table.html.
"""

from __future__ import annotations

import asyncio

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from emulator.gateway.limits import Limits
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


async def test_a_lost_network_is_1006() -> None:
    """A TCP connection that ends without a close frame is told as 1006."""
    async with running() as gateway, connect(gateway.ws) as socket:
        socket.transport.abort()
        (event,) = await gateway.functions.wait_for("disconnect")
    assert event["requestContext"]["disconnectStatusCode"] == 1006


async def test_disconnect_comes_exactly_once() -> None:
    """Both the close frame and the end of TCP are seen; one event results."""
    async with running() as gateway:
        async with connect(gateway.ws) as socket:
            await socket.close()
        await gateway.functions.wait_for("disconnect")
        await asyncio.sleep(0.1)
        assert len(gateway.functions.of("disconnect")) == 1


@pytest.mark.parametrize("limits", [Limits(idle_timeout=0.3), Limits(connection_duration=0.3)])
async def test_an_idle_or_old_connection_is_closed_with_1001(limits: Limits) -> None:
    """10 minutes without a message, or 2 hours at all, end a connection; pings do not help."""
    async with running(limits=limits) as gateway, connect(gateway.ws, ping_interval=0.05) as socket:
        with pytest.raises(ConnectionClosed) as closed:
            await asyncio.wait_for(socket.recv(), 5)
        assert closed.value.rcvd is not None
        assert (closed.value.rcvd.code, closed.value.rcvd.reason) == (1001, "Going away")
        (event,) = await gateway.functions.wait_for("disconnect")
        assert event["requestContext"]["disconnectStatusCode"] == 1001


async def test_a_message_keeps_a_connection_from_being_idle() -> None:
    """Messages of the client count, one after the other, for longer than the time-out."""
    limits = Limits(idle_timeout=0.4)
    async with running(routes={"$default": "default"}, limits=limits) as gateway, connect(gateway.ws) as socket:
        for _ in range(6):
            await socket.send("x")
            await asyncio.sleep(0.15)
        assert socket.close_code is None


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
