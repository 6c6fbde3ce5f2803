"""Messages: what the facts in `tests/emulator/conformance` leave open.

Sources: https://docs.aws.amazon.com/apigateway/latest/developerguide/websocket-api-develop-routes.html and
https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-execution-service-websocket-limits-table.html.
"""

from __future__ import annotations

import asyncio
import json

import pytest
from websockets.asyncio.client import connect

from emulator.gateway.limits import Limits
from tests.emulator.gateway.harness import Event, FunctionError, running

ROUTES = {"$connect": "connect", "$disconnect": "disconnect", "$default": "default", "greet": "greet"}
NO_DEFAULT = {"$connect": "connect", "$disconnect": "disconnect", "greet": "greet"}


@pytest.mark.parametrize(
    ("text", "function"),
    [
        ('{"action": "greet"}', "greet"),
        ('{"action": "$connect"}', "default"),
        ('{"action": {"greet": 1}}', "default"),
        ("[" * 20000, "default"),
    ],
)
async def test_a_message_goes_to_the_route_it_names(text: str, function: str) -> None:
    """The route key is read from the JSON body; everything else goes to `$default`, with its body unchanged."""
    async with running(routes=ROUTES) as gateway, connect(gateway.ws) as socket:
        await socket.send(text)
        (event,) = await gateway.functions.wait_for(function)
        assert event["body"] == text


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
