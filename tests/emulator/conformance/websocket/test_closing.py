"""How connections end, and what `$disconnect` says."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.frames import CloseCode

from tests.emulator.conformance.facts import fact
from tests.emulator.conformance.websocket.client import Application, Connection, Json
from tests.emulator.conformance.websocket.pages import BINARY, CONNECT, CONNECTIONS, QUOTAS, RFC


async def _talk(client: Connection) -> None:
    with suppress(ConnectionClosed):
        while True:
            await client.send("note")
            await asyncio.sleep(0.05)


def status(event: Json) -> tuple[int, str]:
    """Code and reason of a `$disconnect` event."""
    context = event["requestContext"]
    return context["disconnectStatusCode"], context["disconnectReason"]


@fact("W100", CONNECT)
async def test_disconnect_follows_the_clients_close(application: Application) -> None:
    """`$disconnect` is executed after the client has closed the connection, once, with the client's code and reason."""
    async with application.connected() as client:
        await client.socket.close(4321, "enough")
        assert status(await client.disconnected()) == (4321, "enough")
        await asyncio.sleep(0.1)
        assert len(await application.written(client.id, "disconnect")) == 1


@fact("W101", RFC)
async def test_a_close_without_a_code_is_1005(application: Application) -> None:
    """A close frame without a code counts as 1005, which itself is never sent; the frame is answered with one."""
    async with application.connected() as client:
        client.socket.protocol.send_close()
        client.socket.send_data()
        await asyncio.wait_for(client.socket.wait_closed(), 5)
        assert status(await client.disconnected())[0] == CloseCode.NO_STATUS_RCVD


@fact("W102", RFC)
async def test_a_lost_connection_is_1006(application: Application) -> None:
    """A connection that ends without a close frame counts as 1006; `$disconnect` is executed all the same."""
    async with application.connected() as client:
        client.socket.transport.abort()
        assert status(await client.disconnected())[0] == CloseCode.ABNORMAL_CLOSURE


@fact("W103", CONNECT)
async def test_the_server_may_close_too(application: Application) -> None:
    """A connection that the backend deletes is closed, and `$disconnect` executed for it as well."""
    async with application.connected() as client:
        await asyncio.to_thread(application.management.delete_connection, ConnectionId=client.id)
        assert await client.close_code() == CloseCode.NORMAL_CLOSURE
        assert status(await client.disconnected())[0] == CloseCode.NORMAL_CLOSURE


@fact("W104", BINARY)
async def test_disconnect_has_the_gateways_code(application: Application) -> None:
    """A client that is disconnected with 1003 is told of in `$disconnect` with that code."""
    async with application.connected() as client:
        await client.socket.send(b"binary")
        await client.close_code()
        assert status(await client.disconnected())[0] == CloseCode.UNSUPPORTED_DATA


@fact("W105", QUOTAS, local="the limit of 10 minutes is shortened")
async def test_an_idle_connection_is_closed(application: Application) -> None:
    """A connection on which nothing is sent for 10 minutes is closed by the server; pings do not keep it open."""
    async with application.connected() as client, application.control.limits(idle_timeout=0.4):
        for _ in range(3):
            await client.socket.ping()
            await asyncio.sleep(0.1)
        assert await client.close_code() == CloseCode.GOING_AWAY
        assert status(await client.disconnected())[0] == CloseCode.GOING_AWAY


@fact("W106", QUOTAS, local="the limit of 10 minutes is shortened")
async def test_messages_either_way_keep_a_connection_open(application: Application) -> None:
    """What the client sends and what is posted to it starts the idle time anew."""
    async with application.connected() as client, application.control.limits(idle_timeout=0.5):
        for _ in range(2):
            await client.send("note")
            await asyncio.sleep(0.3)
            await asyncio.to_thread(application.management.post_to_connection, ConnectionId=client.id, Data=b"x")
            await asyncio.sleep(0.3)
        assert client.socket.close_code is None


@fact("W107", QUOTAS, local="the limit of 2 hours is shortened")
async def test_a_connection_has_a_longest_duration(application: Application) -> None:
    """A connection is closed by the server after 2 hours, busy or not."""
    async with application.connected() as client, application.control.limits(connection_duration=0.5):
        started = time.monotonic()
        busy = asyncio.create_task(_talk(client))
        assert await client.close_code() == CloseCode.GOING_AWAY
        assert 0.3 < time.monotonic() - started < 5
        await busy


@fact("W108", CONNECT, local="the fault is ordered from the emulator")
async def test_disconnect_may_be_lost(application: Application) -> None:
    """`$disconnect` is delivered with best effort, and may be lost."""
    async with application.connected() as client:
        await application.control.inject("disconnect_lost", connection=client.id)
        await client.socket.close()
        await asyncio.sleep(0.2)
        assert await application.ledger(client.id) == []


@fact("W109", CONNECTIONS)
async def test_a_closed_connection_is_gone_when_disconnect_runs(application: Application) -> None:
    """As the connection is closed before `$disconnect` is executed, it can't be posted to any more."""
    async with application.connected() as client:
        await client.socket.close()
        await client.disconnected()
        with pytest.raises(application.management.exceptions.GoneException):
            await asyncio.to_thread(application.management.post_to_connection, ConnectionId=client.id, Data=b"x")
