"""The control endpoint, asked over HTTP while real sockets are open."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, MutableMapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import pytest
from starlette.applications import Starlette
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from emulator.faults.control import Control
from emulator.faults.limits import AllLimits, LimitControl
from emulator.faults.registry import FaultRegistry
from tests.emulator.gateway.harness import Gateway, running


@dataclass
class Killed:
    """Counts one environment of each function."""

    names: list[str] = field(default_factory=list)

    async def kill(self, function: str) -> int:
        """Note it."""
        self.names.append(function)
        return 1


@dataclass(frozen=True)
class Controlled:
    """A gateway, its control endpoint, and what was killed."""

    gateway: Gateway
    killed: Killed
    http: aiohttp.ClientSession

    async def ask(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        """Status and JSON of one request."""
        async with self.http.request(method, f"{self.gateway.url}/_emulator/{path}", json=body) as answer:
            return answer.status, await answer.json()


@asynccontextmanager
async def controlled() -> AsyncIterator[Controlled]:
    """Serve one API with functions `connect` and `disconnect`."""
    registry, limits, killed = FaultRegistry(), LimitControl(AllLimits()), Killed()
    control = Control(registry, limits, functions=killed, names=["connect", "disconnect"])
    async with running(faults=registry, extra=control.routes()) as gateway, aiohttp.ClientSession() as http:
        limits.serve(gateway.front)
        control.serve(gateway.front.apis)
        yield Controlled(gateway, killed, http)


async def test_a_fault_is_added_listed_and_cleared() -> None:
    """POST answers 201 with the fault's number, GET lists it, DELETE of the number ends it, once."""
    async with controlled() as it:
        status, added = await it.ask("POST", "faults", {"kind": "event_lost", "function": "connect", "count": 3})
        described = {"kind": "event_lost", "function": "connect", "count": 3}
        assert (status, added) == (201, {"id": 1, "fault": described, "left": 3, "remaining_s": None})
        _, listed = await it.ask("GET", "faults")
        assert listed == {"faults": [added], "connections": [], "functions": ["connect", "disconnect"]}
        assert await it.ask("DELETE", "faults/1") == (200, {"cleared": 1})
        assert (await it.ask("DELETE", "faults/1"))[0] == 404
        await it.ask("POST", "faults", {"kind": "post_gone"})
        assert await it.ask("DELETE", "faults") == (200, {"cleared": 1})


async def test_one_of_two_connections_is_gone_for_one_post() -> None:
    """The connections are listed oldest first; a 410 for the first leaves the second one alone and ends."""
    async with controlled() as it, connect(it.gateway.ws) as first, connect(it.gateway.ws) as second:
        _, listed = await it.ask("GET", "faults")
        one, two = (connection["id"] for connection in listed["connections"])
        assert (await it.ask("POST", "faults", {"kind": "post_gone", "connection": one}))[0] == 201
        client = it.gateway.client()

        def post(connection: str) -> None:
            client.post_to_connection(ConnectionId=connection, Data=b"x")

        await asyncio.to_thread(post, two)
        with pytest.raises(client.exceptions.GoneException):
            await asyncio.to_thread(post, one)
        await asyncio.to_thread(post, one)
        client.close()
        assert [await asyncio.wait_for(each.recv(), 5) for each in (first, second)] == ["x", "x"]


async def test_sockets_are_closed_with_a_code() -> None:
    """One connection, then all others; each client sees code and reason."""
    async with controlled() as it, connect(it.gateway.ws) as first, connect(it.gateway.ws) as second:
        _, listed = await it.ask("GET", "faults")
        wanted = {
            "kind": "close_sockets",
            "connection": listed["connections"][1]["id"],
            "code": 1011,
            "reason": "Broken",
        }
        assert await it.ask("POST", "faults", wanted) == (200, {"closed": 1})
        with pytest.raises(ConnectionClosed):
            await asyncio.wait_for(second.recv(), 5)
        assert (second.close_code, second.close_reason) == (1011, "Broken")
        assert await it.ask("POST", "faults", {"kind": "close_sockets"}) == (200, {"closed": 1})
        with pytest.raises(ConnectionClosed):
            await asyncio.wait_for(first.recv(), 5)
        assert first.close_code == 1001
        events = await it.gateway.functions.wait_for("disconnect", 2)
        assert [event["requestContext"]["disconnectStatusCode"] for event in events] == [1011, 1001]


async def test_a_disconnect_is_lost_once() -> None:
    """The application hears of the second socket's end alone."""
    async with controlled() as it:
        await it.ask("POST", "faults", {"kind": "disconnect_lost"})
        for _ in range(2):
            async with connect(it.gateway.ws):
                pass
        (event,) = await it.gateway.functions.wait_for("disconnect")
        assert (
            event["requestContext"]["connectionId"]
            == (it.gateway.functions.of("connect")[1]["requestContext"]["connectionId"])
        )


async def test_an_integration_is_slowed() -> None:
    """The handshake waits for `$connect`, which is called later, once."""
    async with controlled() as it:
        await it.ask("POST", "faults", {"kind": "integration_delayed", "delay_s": 0.4})
        took = []
        for _ in range(2):
            began = time.monotonic()
            async with connect(it.gateway.ws):
                took.append(time.monotonic() - began)
        assert took[0] >= 0.39 > took[1]


async def test_environments_are_killed_by_function_or_all() -> None:
    """The answer says how many there were."""
    async with controlled() as it:
        one = {"kind": "kill_environments", "function": "connect"}
        assert await it.ask("POST", "faults", one) == (200, {"killed": 1})
        assert await it.ask("POST", "faults", {"kind": "kill_environments"}) == (200, {"killed": 2})
        assert it.killed.names == ["connect", "connect", "disconnect"]


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"kind": "flood"}, "flood"),
        ({"kind": "event_lost", "function": "Nobody"}, "no function Nobody; there are: connect, disconnect"),
        ({"kind": "kill_environments", "function": "Nobody"}, "no function Nobody"),
        ({"kind": "post_gone", "connection": "abc="}, "no connection abc= is open"),
        ({"kind": "close_sockets", "connection": "abc="}, "no connection abc= is open"),
    ],
)
async def test_bad_input_is_answered_with_400_and_the_reason(body: dict[str, object], said: str) -> None:
    """Nothing is added."""
    async with controlled() as it:
        status, answer = await it.ask("POST", "faults", body)
        assert (status, said in answer["message"]) == (400, True)
        assert (await it.ask("GET", "faults"))[1]["faults"] == []


@pytest.mark.parametrize("number", ["abc", "1.5", "9" * 5000])
async def test_what_is_no_number_of_a_fault_is_answered_with_400(number: str) -> None:
    """As all that makes no sense."""
    async with controlled() as it:
        status, answer = await it.ask("DELETE", f"faults/{number}")
        assert (status, "is no number of a fault" in answer["message"]) == (400, True)
        assert (await it.ask("DELETE", "faults/7")) == (404, {"message": "no fault 7 stands"})


@pytest.mark.parametrize("change", [{"frame_bytes": 1.5}, {"idle_timeout": 1e300}])
async def test_a_limit_that_cannot_be_is_answered_with_400(change: dict[str, float]) -> None:
    """Bytes are whole, and no time is longer than a day."""
    async with controlled() as it:
        before = await it.ask("GET", "limits")
        status, answer = await it.ask("POST", "limits", {"limits": change})
        assert (status, next(iter(change)) in answer["message"]) == (400, True)
        assert await it.ask("GET", "limits") == before


@pytest.mark.parametrize(
    ("host", "status"),
    [("127.0.0.1", 200), ("::1", 200), ("::ffff:127.0.0.1", 200), ("192.0.2.1", 403), ("::ffff:192.0.2.1", 403)],
)
@pytest.mark.parametrize(("method", "path"), [("GET", "faults"), ("DELETE", "faults"), ("GET", "limits")])
async def test_only_this_machine_may_ask(host: str, status: int, method: str, path: str) -> None:
    """The emulator may listen to others, who are refused here whatever they ask."""
    control = Control(FaultRegistry(), LimitControl(AllLimits()), functions=Killed(), names=[])
    assert await _status(Starlette(routes=control.routes()), host, method, f"/_emulator/{path}") == status


async def _status(app: Starlette, host: str, method: str, path: str) -> int:
    sent: list[MutableMapping[str, Any]] = []

    async def receive() -> MutableMapping[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: MutableMapping[str, Any]) -> None:
        sent.append(message)

    request = {"type": "http", "method": method, "path": path, "query_string": b"", "headers": []}
    await app({**request, "client": (host, 40000)}, receive, send)
    status: int = sent[0]["status"]
    return status


async def test_a_page_of_another_origin_can_add_nothing() -> None:
    """What a browser sends without a preflight, text, is refused."""
    async with (
        controlled() as it,
        it.http.post(it.gateway.url + "/_emulator/faults", data='{"kind": "post_gone"}') as answer,
    ):
        assert answer.status == 400
        assert "application/json" in (await answer.json())["message"]


async def test_a_shorter_limit_holds_for_sockets_that_are_open_already() -> None:
    """An idle socket is closed soon after the idle time-out was shortened; once cleared, a new one stays."""
    async with controlled() as it:
        async with connect(it.gateway.ws) as socket:
            status, answer = await it.ask("POST", "limits", {"limits": {"idle_timeout": 0.2}})
            assert (status, answer["limits"]["idle_timeout"], answer["configured"]["idle_timeout"]) == (200, 0.2, 600)
            with pytest.raises(ConnectionClosed):
                await asyncio.wait_for(socket.recv(), 5)
            assert (socket.close_code, socket.close_reason) == (1001, "Going away")
        assert (await it.ask("DELETE", "limits"))[1]["limits"]["idle_timeout"] == 600
        async with connect(it.gateway.ws) as socket:
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(socket.recv(), 0.4)


async def test_a_shorter_frame_holds_for_sockets_that_are_open_already() -> None:
    """A frame over the new limit closes with 1009, though the socket was opened under the old one."""
    async with controlled() as it, connect(it.gateway.ws) as socket:
        await it.ask("POST", "limits", {"limits": {"frame_bytes": 100}, "duration_s": 30})
        await socket.send("x" * 101)
        with pytest.raises(ConnectionClosed):
            await asyncio.wait_for(socket.recv(), 5)
        assert socket.close_code == 1009


async def test_a_wrong_limit_is_answered_with_400() -> None:
    """The answer names the limits that there are."""
    async with controlled() as it:
        status, answer = await it.ask("POST", "limits", {"limits": {"speed": 1}})
        assert status == 400
        assert "idle_timeout" in answer["message"]
