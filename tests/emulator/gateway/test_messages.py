"""Messages: route selection, errors, quotas, fragments, concurrency.

Sources: https://docs.aws.amazon.com/apigateway/latest/developerguide/websocket-api-develop-routes.html and
https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-execution-service-websocket-limits-table.html.
"""

from __future__ import annotations

import asyncio
import json

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from emulator.gateway.limits import Limits
from tests.emulator.gateway.harness import Event, FunctionError, running

ROUTES = {"$connect": "connect", "$disconnect": "disconnect", "$default": "default", "greet": "greet"}
NO_DEFAULT = {"$connect": "connect", "$disconnect": "disconnect", "greet": "greet"}


@pytest.mark.parametrize(
    ("text", "function"),
    [
        ('{"action": "greet"}', "greet"),
        ('{"action": "other"}', "default"),
        ('{"action": "$connect"}', "default"),
        ('{"action": {"greet": 1}}', "default"),
        ('["greet"]', "default"),
        ('{"other": 1}', "default"),
        ("greet", "default"),
        ("", "default"),
        ("[" * 20000, "default"),
    ],
)
async def test_a_message_goes_to_the_route_it_names(text: str, function: str) -> None:
    """The route key is read from the JSON body; everything else goes to `$default`, with its body unchanged."""
    async with running(routes=ROUTES) as gateway, connect(gateway.ws) as socket:
        await socket.send(text)
        (event,) = await gateway.functions.wait_for(function)
        assert event["body"] == text


async def test_the_message_event_has_the_documented_fields() -> None:
    """A message event has body and request context, and no headers."""
    async with running(routes=ROUTES) as gateway, connect(gateway.ws) as socket:
        await socket.send('{"action": "greet", "text": "ä\u2028😀"}')
        (event,) = await gateway.functions.wait_for("greet")
    context = event["requestContext"]
    assert set(event) == {"requestContext", "body", "isBase64Encoded"}
    assert json.loads(event["body"])["text"] == "ä\u2028😀"
    assert event["isBase64Encoded"] is False
    assert (context["routeKey"], context["eventType"], context["messageDirection"]) == ("greet", "MESSAGE", "IN")
    assert len(context["messageId"]) == 16
    assert context["connectionId"] == gateway.functions.of("connect")[0]["requestContext"]["connectionId"]


async def test_without_default_an_unmatched_message_is_forbidden() -> None:
    """The client is told so in a frame; the connection stays."""
    async with running(routes=NO_DEFAULT) as gateway, connect(gateway.ws) as socket:
        await socket.send("hello")
        frame = json.loads(await asyncio.wait_for(socket.recv(), 5))
        (connected,) = gateway.functions.of("connect")
        assert frame["message"] == "Forbidden"
        assert frame["connectionId"] == connected["requestContext"]["connectionId"]
        assert len(frame["requestId"]) == 16
        await socket.send('{"action": "greet"}')
        await gateway.functions.wait_for("greet")


async def test_a_failed_or_late_integration_is_told_in_a_frame() -> None:
    """A function error gives `Internal server error`, no answer in time `Endpoint request timed out`."""

    async def fail(event: Event) -> object:
        raise FunctionError("boom")

    async def sleep(event: Event) -> object:
        await asyncio.sleep(1)
        return {"statusCode": 200}

    routes = {"fail": "fail", "sleep": "sleep"}
    gateway_of = running(routes=routes, handlers={"fail": fail, "sleep": sleep}, limits=Limits(integration_timeout=0.2))
    async with gateway_of as gateway, connect(gateway.ws) as socket:
        for action, message in (("fail", "Internal server error"), ("sleep", "Endpoint request timed out")):
            await socket.send(json.dumps({"action": action}))
            frame = json.loads(await asyncio.wait_for(socket.recv(), 5))
            event = gateway.functions.of(action)[0]
            assert frame == {
                "message": message,
                "connectionId": event["requestContext"]["connectionId"],
                "requestId": event["requestContext"]["requestId"],
            }


async def test_a_proxy_integration_without_route_response_answers_nothing() -> None:
    """Body and status of the function's answer are dropped."""

    async def talk(event: Event) -> object:
        return {"statusCode": 500, "body": "hello"}

    async with running(routes=ROUTES, handlers={"greet": talk}) as gateway, connect(gateway.ws) as socket:
        await socket.send('{"action": "greet"}')
        await gateway.functions.wait_for("greet")
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(socket.recv(), 0.2)


async def test_messages_of_one_socket_run_concurrently() -> None:
    """The second message is delivered while the first one's function still runs."""
    release = asyncio.Event()

    async def wait(event: Event) -> object:
        await release.wait()
        return {"statusCode": 200}

    async with running(routes=ROUTES, handlers={"greet": wait}) as gateway, connect(gateway.ws) as socket:
        for _ in range(5):
            await socket.send('{"action": "greet"}')
        await gateway.functions.wait_for("greet", 5)
        release.set()


async def test_a_frame_of_32_kb_is_the_longest() -> None:
    """32768 bytes pass; one more closes the socket with 1009, and the application hears of it."""
    async with running(routes=ROUTES) as gateway, connect(gateway.ws) as socket:
        await socket.send("x" * 32768)
        (event,) = await gateway.functions.wait_for("default")
        assert len(event["body"]) == 32768
        await socket.send("x" * 32769)
        with pytest.raises(ConnectionClosed) as closed:
            await asyncio.wait_for(socket.recv(), 5)
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1009
        (event,) = await gateway.functions.wait_for("disconnect")
        assert event["requestContext"]["disconnectStatusCode"] == 1009


async def test_a_message_of_128_kb_in_fragments_is_the_longest() -> None:
    """Four frames of 32 KB are one message; a fifth byte over closes with 1009."""
    async with running(routes=ROUTES) as gateway, connect(gateway.ws) as socket:
        await socket.send(["x" * 32768] * 4)
        (event,) = await gateway.functions.wait_for("default")
        assert len(event["body"]) == 131072
        await socket.send(["x" * 32768] * 4 + ["x"])
        with pytest.raises(ConnectionClosed) as closed:
            await asyncio.wait_for(socket.recv(), 5)
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1009


async def test_a_character_may_be_split_between_fragments() -> None:
    """UTF-8 is checked on the whole message."""
    async with running(routes=ROUTES) as gateway, connect(gateway.ws) as socket:
        raw = "😀".encode()
        await socket.send([raw[:2], raw[2:]], text=True)
        (event,) = await gateway.functions.wait_for("default")
        assert event["body"] == "😀"


@pytest.mark.parametrize(("data", "text", "code"), [(b"binary", False, 1003), (b"\xff\xfe", True, 1007)])
async def test_what_is_no_text_closes_the_socket(data: bytes, text: bool, code: int) -> None:
    """A binary frame is 1003, text that is not UTF-8 is 1007; other connections go on."""
    async with running(routes=ROUTES) as gateway, connect(gateway.ws) as other, connect(gateway.ws) as socket:
        await socket.send(data, text=text)
        with pytest.raises(ConnectionClosed) as closed:
            await asyncio.wait_for(socket.recv(), 5)
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == code
        await other.send("still here")
        await gateway.functions.wait_for("default")


async def test_pings_are_answered() -> None:
    """A ping gets its pong."""
    async with running() as gateway, connect(gateway.ws, ping_interval=None) as socket:
        await asyncio.wait_for(await socket.ping(b"abc"), 5)


async def test_a_route_response_without_a_body_is_none() -> None:
    """The body goes back as it is, an empty one too; without one nothing does."""

    async def answer(event: Event) -> object:
        return json.loads(event["body"])["answer"]

    async with (
        running(routes=ROUTES, handlers={"greet": answer}, responses={"greet"}) as gateway,
        connect(gateway.ws) as socket,
    ):
        for given in ({"statusCode": 200}, {"statusCode": 200, "body": ""}, {"statusCode": 500, "body": "hello"}):
            await socket.send(json.dumps({"action": "greet", "answer": given}))
        assert sorted([await asyncio.wait_for(socket.recv(), 5) for _ in range(2)]) == ["", "hello"]
