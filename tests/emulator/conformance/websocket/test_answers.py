"""What the client is told about its messages: answers, failures, time-outs, throttling."""

from __future__ import annotations

import json

import pytest

from tests.emulator.conformance.facts import fact
from tests.emulator.conformance.websocket.client import Application, Connection
from tests.emulator.conformance.websocket.pages import (
    ANSWERS,
    FAILURES,
    INTEGRATIONS,
    LATE,
    QUOTAS,
    RESPONSES,
    THROTTLING,
)


async def error_of(client: Connection) -> str:
    """The message of the error frame that comes next; it names the connection and a request."""
    frame = json.loads(await client.text())
    assert set(frame) == {"message", "connectionId", "requestId"}
    assert frame["connectionId"] == client.id
    return str(frame["message"])


@fact("W60", RESPONSES)
async def test_without_a_route_response_nothing_is_answered(application: Application) -> None:
    """The answer of an integration is not passed to the client, whatever its status and body, unless the route has a
    route response."""
    async with application.connected() as client:
        await client.send("note", do={"reply": {"statusCode": 500, "body": "hello"}})
        await client.routed()
        assert await client.silent()


@fact("W61", RESPONSES)
async def test_with_a_route_response_the_body_is_answered(application: Application) -> None:
    """On a route with a route response the `body` that the function returns comes back as one message."""
    async with application.connected() as client:
        await client.send("reply", do={"reply": {"body": '{"answer": "ä"}'}})
        assert await client.text() == '{"answer": "ä"}'


@fact("W62", ANSWERS)
async def test_a_proxys_answer_is_passed_on_whatever_its_status(application: Application) -> None:
    """A proxy integration's output is passed on as it is: there is no integration response that looks at the status."""
    async with application.connected() as client:
        await client.send("reply", do={"reply": {"statusCode": 404, "body": "not here"}})
        assert await client.text() == "not here"


@pytest.mark.parametrize("action", ["note", "reply", "anything"])
@fact("W63", FAILURES)
async def test_a_failing_function_is_an_internal_server_error(application: Application, action: str) -> None:
    """A function that fails gives the client an `Internal server error`, with or without route response; the connection
    stays."""
    async with application.connected() as client:
        await client.send(action, do={"fail": "boom"})
        assert await error_of(client) == "Internal server error"
        await client.send("reply", do={"reply": {"body": "still here"}})
        assert await client.text() == "still here"


@pytest.mark.parametrize("answer", ["text", 7, {"body": "no status"}, {"statusCode": "many"}])
@fact("W64", FAILURES)
async def test_an_answer_that_is_no_proxy_response_is_an_internal_server_error(
    application: Application, answer: object
) -> None:
    """What a proxy integration returns must be a proxy response, with a `statusCode`."""
    async with application.connected() as client:
        await client.send("reply", do={"answer": answer})
        assert await error_of(client) == "Internal server error"


@fact("W65", INTEGRATIONS)
async def test_an_integration_has_a_time_out_of_its_own(application: Application) -> None:
    """A route's integration may have a shorter time-out (here 600 ms); after it the client is told."""
    async with application.connected() as client:
        await client.send("note", do={"sleep": 1})
        await client.send("brief", do={"sleep": 1})
        assert await error_of(client) == "Endpoint request timed out"
        assert await client.silent(0.7)


@fact("W66", LATE, local="the quota of 29 s is shortened")
async def test_the_quota_is_every_integrations_time_out(application: Application) -> None:
    """An integration that takes longer than the quota gives `Endpoint request timed out`; the connection stays."""
    async with application.connected() as client:
        await client.send("reply", do={"reply": {"body": "warm"}})
        await client.text()
        async with application.control.limits(integration_timeout=0.2):
            await client.send("reply", do={"sleep": 0.5, "reply": {"body": "late"}})
            assert await error_of(client) == "Endpoint request timed out"
        assert await client.silent(0.5)
        await client.send("reply", do={"reply": {"body": "still here"}})
        assert await client.text() == "still here"


@fact("W67", FAILURES)
async def test_a_function_that_lambda_throttles_is_an_internal_server_error(application: Application) -> None:
    """If Lambda throttles the function (its reserved concurrency is 0 here), the client gets an
    `Internal server error`."""
    async with application.connected() as client:
        await client.send("never")
        assert await error_of(client) == "Internal server error"


@fact("W68", THROTTLING)
async def test_a_route_over_its_burst_is_throttled(application: Application) -> None:
    """A route with a burst limit of 2 lets two of four messages through that come at once; the others are answered with
    `Too Many Requests`, and the connection stays."""
    async with application.connected(target=application.other) as client:
        for _ in range(4):
            await client.socket.send('{"service": "chat", "action": "flood"}')
        assert [await error_of(client) for _ in range(2)] == ["Too Many Requests"] * 2
        assert len(await client.routed(2)) == 2


@fact("W69", THROTTLING)
async def test_another_route_is_not_throttled_with_it(application: Application) -> None:
    """Limits of one route do not concern another."""
    async with application.connected(target=application.other) as client:
        for _ in range(4):
            await client.socket.send('{"service": "chat", "action": "join"}')
        assert len(await client.routed(4)) == 4
        assert await client.silent(0.1)


@fact("W70", QUOTAS)
async def test_the_quota_of_29_seconds_is_the_default(application: Application) -> None:
    """An integration without a time-out of its own may take some seconds."""
    async with application.connected() as client:
        await client.send("reply", do={"sleep": 1.2, "reply": {"body": "slow"}})
        assert await client.text() == "slow"
