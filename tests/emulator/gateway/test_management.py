"""`@connections` with real boto3, and without it.

Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-how-to-call-websocket-api-connections.html
and botocore's model of the service, which turns the answers into exceptions.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
from botocore.exceptions import ClientError
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from emulator.gateway.limits import Limits
from tests.emulator.gateway.harness import Gateway, running


@asynccontextmanager
async def connected(limits: Limits | None = None) -> AsyncIterator[tuple[Gateway, ClientConnection, str, Any]]:
    """A gateway, a socket, its connection id and a boto3 client."""
    async with running(limits=limits) as gateway, connect(gateway.ws, max_size=None) as socket:
        (event,) = await gateway.functions.wait_for("connect")
        client = gateway.client()
        yield gateway, socket, event["requestContext"]["connectionId"], client
        client.close()


async def test_get_tells_about_the_connection() -> None:
    """connectedAt, lastActiveAt and identity come back as botocore's model types them."""
    async with connected() as (_, _, connection_id, client):
        facts = await asyncio.to_thread(client.get_connection, ConnectionId=connection_id)
        assert facts["Identity"]["SourceIp"] == "127.0.0.1"
        assert "websockets" in facts["Identity"]["UserAgent"]
        assert abs(facts["ConnectedAt"].timestamp() - time.time()) < 10
        assert facts["LastActiveAt"] >= facts["ConnectedAt"].replace(microsecond=0)


async def test_delete_closes_the_connection() -> None:
    """The client sees 1000, the application `$disconnect`, and the id is gone at once."""
    async with connected() as (gateway, socket, connection_id, client):
        answer = await asyncio.to_thread(client.delete_connection, ConnectionId=connection_id)
        assert answer["ResponseMetadata"]["HTTPStatusCode"] == 204
        with pytest.raises(client.exceptions.GoneException):
            await asyncio.to_thread(client.get_connection, ConnectionId=connection_id)
        with pytest.raises(ConnectionClosed) as closed:
            await asyncio.wait_for(socket.recv(), 5)
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1000
        (event,) = await gateway.functions.wait_for("disconnect")
        assert event["requestContext"]["disconnectReason"] == "Connection Closed Normally"


async def test_a_connection_that_has_left_is_gone() -> None:
    """POST, GET and DELETE raise botocore's GoneException, with status 410."""
    async with connected() as (gateway, socket, connection_id, client):
        await socket.close()
        await gateway.functions.wait_for("disconnect")
        for call in (client.get_connection, client.delete_connection):
            with pytest.raises(client.exceptions.GoneException):
                await asyncio.to_thread(call, ConnectionId=connection_id)
        with pytest.raises(client.exceptions.GoneException) as gone:
            await asyncio.to_thread(client.post_to_connection, ConnectionId=connection_id, Data=b"x")
        assert gone.value.response["ResponseMetadata"]["HTTPStatusCode"] == 410


async def test_an_id_in_no_form_of_ids_is_a_bad_request() -> None:
    """Not Gone: no connection ever had it."""
    async with connected() as (_, _, _, client):
        with pytest.raises(ClientError, match="Invalid connectionId: nonsense") as failure:
            await asyncio.to_thread(client.post_to_connection, ConnectionId="nonsense", Data=b"x")
        assert failure.value.response["Error"]["Code"] == "BadRequestException"


async def test_a_post_over_128_kb_is_too_large() -> None:
    """131072 bytes arrive; one more is PayloadTooLargeException, and the connection goes on."""
    async with connected() as (_, socket, connection_id, client):
        with pytest.raises(client.exceptions.PayloadTooLargeException):
            await asyncio.to_thread(client.post_to_connection, ConnectionId=connection_id, Data=b"x" * 131073)
        await asyncio.to_thread(client.post_to_connection, ConnectionId=connection_id, Data=b"y" * 131072)
        assert await asyncio.wait_for(socket.recv(), 5) == "y" * 131072


async def test_a_post_over_32_kb_is_one_message_of_several_frames() -> None:
    """No frame to the client is longer than 32 KB."""
    async with connected() as (_, socket, connection_id, client):
        await asyncio.to_thread(client.post_to_connection, ConnectionId=connection_id, Data=b"z" * 70000)
        sizes = [len(frame) async for frame in socket.recv_streaming()]
        assert sizes == [32768, 32768, 4464]


async def test_posts_arrive_in_order() -> None:
    """One poster's messages keep their order."""
    async with connected() as (_, socket, connection_id, client):

        def post() -> None:
            for number in range(50):
                client.post_to_connection(ConnectionId=connection_id, Data=str(number).encode())

        await asyncio.to_thread(post)
        assert [await asyncio.wait_for(socket.recv(), 5) for _ in range(50)] == [str(n) for n in range(50)]


async def test_an_unsigned_request_is_forbidden() -> None:
    """Without a SigV4 Authorization header there is no access, for @connections and for Invoke."""
    async with connected() as (gateway, _, connection_id, _), aiohttp.ClientSession() as http:
        for path in (f"/live/@connections/{connection_id}", "/2015-03-31/functions/connect/invocations"):
            async with http.post(gateway.url + path, data=b"{}") as answer:
                assert answer.status == 403
                assert answer.headers["x-amzn-ErrorType"] == "MissingAuthenticationTokenException"


async def test_another_stages_connections_are_forbidden() -> None:
    """The stage in the path must be the API's."""
    async with connected() as (gateway, _, connection_id, _), aiohttp.ClientSession() as http:
        headers = {"Authorization": "AWS4-HMAC-SHA256 Credential=x"}
        async with http.post(f"{gateway.url}/dev/@connections/{connection_id}", headers=headers) as answer:
            assert answer.status == 403


async def test_a_slow_reader_is_throttled_and_holds_back_nobody() -> None:
    """Its posts get 429 (the model: "the WebSocket client side buffer is full"), another's arrive at once."""
    limits = Limits(send_buffer_bytes=64 * 1024)
    async with connected(limits) as (gateway, slow, slow_id, client):
        slow.transport.pause_reading()

        def fill() -> None:
            for _ in range(2000):
                client.post_to_connection(ConnectionId=slow_id, Data=b"x" * 100_000)

        with pytest.raises(client.exceptions.LimitExceededException):
            await asyncio.to_thread(fill)
        async with connect(gateway.ws) as other:
            event = (await gateway.functions.wait_for("connect", 2))[1]
            other_id = event["requestContext"]["connectionId"]
            await asyncio.to_thread(client.post_to_connection, ConnectionId=other_id, Data=b"hello")
            assert await asyncio.wait_for(other.recv(), 2) == "hello"
        slow.transport.abort()


async def test_a_reader_that_stays_slow_is_dropped() -> None:
    """After its time it is gone, and the application hears 1006."""
    limits = Limits(send_buffer_bytes=64 * 1024, slow_reader=0.2)
    async with connected(limits) as (gateway, slow, slow_id, client):
        slow.transport.pause_reading()

        def fill() -> None:
            for _ in range(2000):
                client.post_to_connection(ConnectionId=slow_id, Data=b"x" * 100_000)

        with pytest.raises(client.exceptions.LimitExceededException):
            await asyncio.to_thread(fill)
        (event,) = await gateway.functions.wait_for("disconnect")
        assert event["requestContext"]["disconnectStatusCode"] == 1006
        slow.transport.abort()


async def test_bytes_that_are_no_utf_8_are_replaced() -> None:
    """A client can only be sent text: each such byte arrives as U+FFFD."""
    async with connected() as (_, socket, connection_id, client):
        await asyncio.to_thread(client.post_to_connection, ConnectionId=connection_id, Data=b"a\xff\xfe\xc3\xa4")
        assert await asyncio.wait_for(socket.recv(), 5) == "a\ufffd\ufffdä"
