"""How many messages of one connection run at once."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from contextlib import suppress
from functools import partial

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from emulator.gateway.limits import Limits
from emulator.gateway.message_queue import MessageQueue
from tests.emulator.gateway.harness import Event, running


class Line:
    """Work that ends when it is told to."""

    def __init__(self, limit: int) -> None:
        self.started: list[int] = []
        self.held: list[bool] = []
        self.tasks: list[asyncio.Task[None]] = []
        self.queue = MessageQueue(limit=limit, spawn=self._spawn, hold=self.held.append)
        self._ends: dict[int, asyncio.Event] = {}

    async def work(self, number: int) -> None:
        """One piece of work."""
        self.started.append(number)
        await self._ends.setdefault(number, asyncio.Event()).wait()

    async def end(self, *numbers: int) -> None:
        """Let these end."""
        for number in numbers:
            self._ends.setdefault(number, asyncio.Event()).set()
        await asyncio.sleep(0.01)

    def add(self, *numbers: int, size: int = 1) -> None:
        """Add work."""
        for number in numbers:
            self.queue.add(partial(self.work, number), size=size)

    def _spawn(self, work: Coroutine[object, object, None]) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(work)
        self.tasks.append(task)
        return task


async def test_so_many_run_and_the_others_wait_in_order() -> None:
    """Each that ends makes room for the next."""
    line = Line(2)
    line.add(1, 2, 3, 4)
    await line.end()
    assert line.started == [1, 2]
    await line.end(2)
    assert line.started == [1, 2, 3]
    await line.end(1, 3, 4)
    assert line.started == [1, 2, 3, 4]


async def test_the_last_waits_for_those_that_wait_alone() -> None:
    """Nothing waiting, it starts at once, however much runs; else behind them."""
    line = Line(1)
    line.add(1)
    line.queue.add_last(partial(line.work, 2))
    await line.end()
    assert line.started == [1, 2]
    line.add(3)
    line.queue.add_last(partial(line.work, 4))
    await line.end()
    assert line.started == [1, 2]
    await line.end(1, 3, 4, 2)
    assert line.started == [1, 2, 3, 4]


async def test_reading_stops_at_a_megabyte_that_waits() -> None:
    """And goes on when half of it is done."""
    line = Line(1)
    line.add(1, 2, 3, 4, 5, size=400_000)
    assert line.held == [True]
    await line.end(1, 2, 3)
    assert line.held == [True, False]
    await line.end(4, 5)


async def test_nothing_starts_when_work_is_cancelled() -> None:
    """The gateway stops."""
    line = Line(1)
    line.add(1, 2)
    await line.end()
    line.tasks[0].cancel()
    await line.end()
    assert line.started == [1]


async def test_slow_work_gives_its_turn_away(monkeypatch: pytest.MonkeyPatch) -> None:
    """What takes longer than a second keeps nothing waiting, and its end counts no more."""
    monkeypatch.setattr("emulator.gateway.message_queue._TURN_S", 0.05)
    line = Line(1)
    line.add(1, 2, 3)
    await asyncio.sleep(0.07)
    assert line.started == [1, 2]
    await line.end(1)
    assert line.started == [1, 2]
    await line.end(2, 3)
    assert line.started == [1, 2, 3]


async def test_a_burst_of_one_socket_leaves_room_for_another() -> None:
    """With 600 messages of one socket sent, the line that another's message joins has 16 before it."""
    at_work = most = 0

    async def busy(event: Event) -> object:
        nonlocal at_work, most
        at_work += 1
        most = max(most, at_work)
        await asyncio.sleep(0.002)
        at_work -= 1
        return {"statusCode": 200}

    routes = {"$connect": "connect", "$default": "busy"}
    async with running(routes=routes, handlers={"busy": busy}) as gateway, connect(gateway.ws) as socket:
        for number in range(600):
            await socket.send(str(number))
        events = await gateway.functions.wait_for("busy", 600)
        assert [event["body"] for event in events] == [str(number) for number in range(600)]
        assert most == Limits().socket_calls == 16


async def test_pings_are_answered_while_messages_wait() -> None:
    """Only what is in memory waits; the socket is read."""

    async def slow(event: Event) -> object:
        await asyncio.sleep(0.5)
        return {"statusCode": 200}

    routes = {"$connect": "connect", "$default": "slow"}
    limits = Limits(socket_calls=1)
    async with running(routes=routes, handlers={"slow": slow}, limits=limits) as gateway, connect(gateway.ws) as socket:
        for _ in range(3):
            await socket.send("x")
        assert await asyncio.wait_for(await socket.ping(), 0.4) >= 0


async def test_a_socket_that_is_not_read_can_be_closed() -> None:
    """More than a megabyte waits, so reading has stopped; a close of the server still completes at once."""

    async def slow(event: Event) -> object:
        await asyncio.sleep(0.5)
        return {"statusCode": 200}

    routes = {"$connect": "connect", "$default": "slow"}
    limits = Limits(socket_calls=1)
    async with running(routes=routes, handlers={"slow": slow}, limits=limits) as gateway, connect(gateway.ws) as socket:
        (event,) = gateway.functions.of("connect")
        flood = asyncio.create_task(_flood(socket))
        await gateway.functions.wait_for("slow")
        await asyncio.sleep(0.1)
        client = gateway.client()
        await asyncio.to_thread(client.delete_connection, ConnectionId=event["requestContext"]["connectionId"])
        client.close()
        await asyncio.wait_for(socket.wait_closed(), 2)
        assert socket.close_code == 1000
        await flood


async def _flood(socket: ClientConnection) -> None:
    with suppress(ConnectionClosed):
        for _ in range(200):
            await socket.send("x" * 30_000)
