"""Rooms, written out in plain API Gateway resources with a function per route: `rooms/`, run as it is."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.live.kit.client import Client, Frame, opened, refused
from tests.live.kit.control import Control
from tests.live.kit.emulator import EmulatorProcess, running

TEMPLATE = Path(__file__).parent / "rooms" / "template.yaml"


@pytest.fixture(scope="module")
def emulator() -> Iterator[EmulatorProcess]:
    """The application with its defaults."""
    with running(TEMPLATE) as started:
        yield started


async def say(client: Client, data: str) -> None:
    """Sends to the client's room: this application selects its routes by `message`."""
    await client.send_raw(json.dumps({"message": "sendmessage", "data": data}))


def said(room: str, data: str) -> Frame:
    """What the members of a room get."""
    return {"room": room, "data": data}


async def test_a_room_hears_what_is_said_in_it(emulator: EmulatorProcess) -> None:
    """Members get a message, people in other rooms do not; the index of the table tells who is where."""
    async with (
        opened(emulator.stage("Prod", room="red")) as ann,
        opened(emulator.stage("Prod", room="red")) as bob,
        opened(emulator.stage("Prod")) as eve,
    ):
        await say(ann, "hello")
        assert await ann.receive() == await bob.receive() == said("red", "hello")
        assert await eve.silent()
        await say(eve, "alone")
        assert await eve.receive() == said("lobby", "alone")


async def test_the_package_of_the_requirements_is_there(emulator: EmulatorProcess) -> None:
    """The function escapes with a package that its requirements.txt names."""
    async with opened(emulator.stage("Prod", room="html")) as ann:
        await say(ann, "<b>1 & 2</b>")
        assert await ann.receive() == said("html", "&lt;b&gt;1 &amp; 2&lt;/b&gt;")


async def test_many_in_one_room(emulator: EmulatorProcess) -> None:
    """Ten speak at once: everybody gets every message, once."""
    everybody_is_in = asyncio.Barrier(10)

    async def heard(number: int) -> list[str]:
        async with opened(emulator.stage("Prod", room="crowd")) as client:
            await everybody_is_in.wait()
            await say(client, str(number))
            return sorted([(await client.receive())["data"] for _ in range(10)])

    numbers = [str(number) for number in range(10)]
    assert await asyncio.gather(*(heard(number) for number in range(10))) == [numbers] * 10


async def test_a_killed_client_is_gone_to_the_others(emulator: EmulatorProcess) -> None:
    """Its connection answers posts with 410, which the application catches as GoneException; the others go on."""
    async with opened(emulator.stage("Prod", room="dark")) as ann:
        async with opened(emulator.stage("Prod", room="dark")) as dying:
            await Control(emulator.url).inject("disconnect_lost")
            dying.cut()
        for text in ("one", "two"):
            await say(ann, text)
            assert await ann.receive() == said("dark", text)
    assert not any("GoneException" in line for line in emulator.lines)


async def test_ping_is_answered_by_the_route_response(emulator: EmulatorProcess) -> None:
    """The route has a response, so what the function returns is the reply, without any post."""
    async with opened(emulator.stage("Prod")) as ann:
        before = time.time() * 1000
        await ann.send_raw('{"message": "ping"}')
        assert before - 1 <= (await ann.receive())["pong"] <= time.time() * 1000


async def test_what_a_route_without_response_returns_is_dropped(emulator: EmulatorProcess) -> None:
    """`Data sent.` reaches nobody."""
    async with opened(emulator.stage("Prod", room="quiet")) as ann:
        await say(ann, "x")
        assert await ann.receive() == said("quiet", "x")
        assert await ann.silent()


async def test_the_default_route(emulator: EmulatorProcess) -> None:
    """A function with its code in the template gets what no route fits, and asks for the connection it came on."""
    async with opened(emulator.stage("Prod")) as ann:
        for text in ("what?", '{"message": "nothing"}', '{"action": "sendmessage"}'):
            await ann.send_raw(text)
            assert await ann.receive() == {"help": "Use the sendmessage route.", "you": "127.0.0.1", "said": text}


async def test_connect_may_refuse(emulator: EmulatorProcess) -> None:
    """The function's status and body are the handshake's."""
    refusal = await refused(emulator.stage("Prod"), origin="https://evil.example")
    assert (refusal.status, refusal.body) == (403, b"Not from there")


async def test_another_stage_is_not_there(emulator: EmulatorProcess) -> None:
    """Only the stage of the template is served, with its case."""
    assert (await refused(emulator.stage("prod"))).status == 403


async def test_disconnect_is_told_why(emulator: EmulatorProcess) -> None:
    """The function logs its event: route, type, code and reason of the close frame."""
    async with opened(emulator.stage("Prod", room="exit")) as ann:
        await ann.socket.close(4001, "going home")
    await asyncio.to_thread(emulator.wait_for_line, '"disconnectReason": "going home"', wait_s=10)
    line = next(line for line in emulator.lines if "going home" in line and "[OnDisconnectFunction]" in line)
    context = json.loads(line[line.index("{") :])["requestContext"]
    assert (context["routeKey"], context["eventType"], context["disconnectStatusCode"]) == (
        "$disconnect", "DISCONNECT", 4001,
    )  # fmt: skip


async def test_parameters_rename() -> None:
    """With other parameters, the stage has another name and the table too."""
    with running(TEMPLATE, "--parameter-overrides", "StageName=beta", "TableName=other") as emulator:
        async with opened(emulator.stage("beta", room="r")) as ann:
            await say(ann, "hi")
            assert await ann.receive() == said("r", "hi")
