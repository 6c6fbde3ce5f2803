"""`@connections` with real boto3, and without it.

Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-how-to-call-websocket-api-connections.html
and botocore's model of the service, which turns the answers into exceptions.
"""

from __future__ import annotations

import asyncio
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


async def test_an_id_in_no_form_of_ids_is_a_bad_request() -> None:
    """Not Gone: no connection ever had it."""
    async with connected() as (_, _, _, client):
        with pytest.raises(ClientError, match="Invalid connectionId: nonsense") as failure:
            await asyncio.to_thread(client.post_to_connection, ConnectionId="nonsense", Data=b"x")
        assert failure.value.response["Error"]["Code"] == "BadRequestException"


async def test_an_unsigned_request_is_forbidden() -> None:
    """Without a SigV4 Authorization header there is no access, for @connections and for Invoke."""
    async with connected() as (gateway, _, connection_id, _), aiohttp.ClientSession() as http:
        for path in (f"/live/@connections/{connection_id}", "/2015-03-31/functions/connect/invocations"):
            async with http.post(gateway.url + path, data=b"{}") as answer:
                assert answer.status == 403
                assert answer.headers["x-amzn-ErrorType"] == "MissingAuthenticationTokenException"


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
