"""The seam where faults are put in."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import pytest
from websockets.asyncio.client import connect

from emulator.gateway.faults import NoFaults, PostFault
from tests.emulator.gateway.harness import running


@dataclass
class Scripted(NoFaults):
    """Says what the test says."""

    post: PostFault | None = None
    lost: bool = False

    async def on_post(self, connection_id: str) -> PostFault | None:
        """The scripted answer."""
        return self.post

    def loses_disconnect(self, connection_id: str) -> bool:
        """The scripted fate."""
        return self.lost


async def test_a_post_can_be_answered_with_410_or_429() -> None:
    """The connection itself stays, and the next post arrives."""
    faults = Scripted()
    async with running(faults=faults) as gateway, connect(gateway.ws) as socket:
        (event,) = await gateway.functions.wait_for("connect")
        connection_id = event["requestContext"]["connectionId"]
        client = gateway.client()
        for fault, error in (("gone", "GoneException"), ("throttled", "LimitExceededException")):
            faults.post = "gone" if fault == "gone" else "throttled"
            with pytest.raises(client.exceptions.from_code(error)):
                await asyncio.to_thread(client.post_to_connection, ConnectionId=connection_id, Data=b"x")
        faults.post = None
        await asyncio.to_thread(client.post_to_connection, ConnectionId=connection_id, Data=b"here")
        assert await asyncio.wait_for(socket.recv(), 5) == "here"
        client.close()


async def test_a_disconnect_can_be_lost() -> None:
    """The application is not told; the connection is gone all the same."""
    async with running(faults=Scripted(lost=True)) as gateway:
        async with connect(gateway.ws):
            pass
        await asyncio.sleep(0.1)
        assert gateway.functions.of("disconnect") == []
