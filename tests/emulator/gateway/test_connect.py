"""`$connect`: what the facts in `tests/emulator/conformance` leave open, such as exact statuses and fields.

Sources: https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-api-route-keys-connect-disconnect.html,
https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-api-lambda-auth.html and
https://docs.aws.amazon.com/apigateway/latest/developerguide/websocket-connect-route-subprotocol.html.
"""

from __future__ import annotations

import asyncio
import json
from typing import Any

from websockets.asyncio.client import connect
from websockets.typing import Subprotocol

from emulator.contract import Throttle, Throttled, Throttling
from emulator.gateway.limits import Limits
from tests.emulator.gateway.harness import Event, FunctionError, Gateway, allow, running
from tests.live.kit import client


async def refused(gateway: Gateway, query: str = "", **options: Any) -> tuple[int, bytes]:
    """Status and body of a handshake that must fail."""
    refusal = await client.refused(gateway.ws + query, **options)
    return refusal.status, refusal.body


async def deny(event: Event) -> object:
    """An authorizer that says no."""
    return allow(event, effect="Deny")


async def broken(event: Event) -> object:
    """An authorizer that fails."""
    raise FunctionError("KeyError: token")


async def test_the_connect_event_has_the_documented_fields() -> None:
    """The `$connect` integration sees headers, query and the whole request context, the authorizer's included."""

    async def authorize(event: Event) -> object:
        return allow(event, n=1)

    async with running(authorizer="authorizer", handlers={"authorizer": authorize}) as gateway:
        async with connect(gateway.ws + "?token=t", user_agent_header="tester"):
            pass
        (event,) = gateway.functions.of("connect")
    context = event["requestContext"]
    assert event["headers"]["Host"] == f"127.0.0.1:{gateway.port}"
    assert event["headers"]["X-Forwarded-For"] == "127.0.0.1"
    assert "Upgrade" not in event["headers"]
    assert event["queryStringParameters"] == {"token": "t"}
    assert event["isBase64Encoded"] is False
    assert "body" not in event
    assert context["authorizer"].items() >= {"principalId": "someone", "n": "1"}.items()
    assert isinstance(context["authorizer"]["integrationLatency"], int)
    assert context["identity"] == {"userAgent": "tester", "sourceIp": "127.0.0.1"}
    assert context["requestTimeEpoch"] - context["connectedAt"] < 5000
    fixed = ("routeKey", "eventType", "messageDirection", "stage", "apiId", "domainName")
    assert [context[name] for name in fixed] == [
        "$connect", "CONNECT", "IN", "live", "abcdef1234", f"127.0.0.1:{gateway.port}",
    ]  # fmt: skip
    assert len(context["connectionId"]) == 16
    assert context["connectionId"].endswith("=")
    assert context["requestId"] == context["extendedRequestId"] != context["connectionId"]


async def test_a_failing_connect_integration_refuses_the_handshake() -> None:
    """A function error, a malformed answer or a refusal of Lambda is 502, a late answer 504."""

    async def malformed(event: Event) -> object:
        return "yes"

    async def slow(event: Event) -> object:
        await asyncio.sleep(1)
        return {"statusCode": 200}

    for handler, status in ((broken, 502), (malformed, 502), (slow, 504)):
        async with running(handlers={"connect": handler}, limits=Limits(integration_timeout=0.1)) as gateway:
            assert (await refused(gateway))[0] == status
    async with running() as gateway:
        gateway.functions.refusal = Throttled("no environment is free")
        assert (await refused(gateway))[0] == 502


async def test_a_subprotocols_header_is_found_in_any_case() -> None:
    """What the integration returns as `sec-websocket-protocol` goes to the client, as with capitals."""

    async def choose(event: Event) -> object:
        assert event["headers"]["Sec-WebSocket-Protocol"] == "chat.v1, bearer.abc"
        return {"statusCode": 200, "headers": {"sec-websocket-protocol": "chat.v1"}}

    offered = [Subprotocol("chat.v1"), Subprotocol("bearer.abc")]
    async with (
        running(handlers={"connect": choose}) as gateway,
        connect(gateway.ws, subprotocols=offered) as socket,
    ):
        assert socket.subprotocol == "chat.v1"


async def test_a_subprotocol_that_is_no_token_refuses_the_handshake() -> None:
    """It could not stand in a header; the client gets 502 and nothing stays open."""

    async def choose(event: Event) -> object:
        return {"statusCode": 200, "headers": {"Sec-WebSocket-Protocol": "a\r\nSet-Cookie: b"}}

    async with running(handlers={"connect": choose}) as gateway:
        assert (await refused(gateway))[0] == 502


async def test_no_extension_is_negotiated() -> None:
    """permessage-deflate is offered by the client and never accepted."""
    async with running() as gateway, connect(gateway.ws, compression="deflate") as socket:
        assert socket.response is not None
        assert "Sec-WebSocket-Extensions" not in socket.response.headers


async def test_an_unknown_stage_is_forbidden() -> None:
    """Only the stage's own path is a WebSocket."""
    async with running() as gateway:
        for path in ("/dev", "/live/more"):
            assert (await refused(gateway, path))[0] == 403


async def test_an_api_without_connect_route_accepts() -> None:
    """`$connect` is optional."""
    async with running(routes={"$default": "default"}) as gateway, connect(gateway.ws) as socket:
        await socket.send("x")
        await gateway.functions.wait_for("default")


async def test_a_url_over_4096_characters_is_refused() -> None:
    """Without a call."""
    async with running() as gateway:
        room = 4096 - len(f"{gateway.ws}?a=") - len("s")
        async with connect(f"{gateway.ws}?a={'x' * room}"):
            pass
        assert (await refused(gateway, f"?a={'x' * (room + 1)}"))[0] == 414
        assert len(gateway.functions.of("connect")) == 1


async def test_too_many_handshakes_are_429() -> None:
    """`$connect` is throttled as any route, before authorizer and integration are asked."""
    throttling = Throttling(routes={"$connect": Throttle(rate=0.1, burst=1)})
    async with running(throttling=throttling, authorizer="authorizer", handlers={"authorizer": deny}) as gateway:
        assert (await refused(gateway))[0] == 403
        status, body = await refused(gateway)
        assert (status, json.loads(body)["message"]) == (429, "Too Many Requests")
        assert len(gateway.functions.of("authorizer")) == 1


async def test_stage_variables_stand_in_every_event() -> None:
    """If the stage has any; authorizers get an empty object else."""

    async def authorize(event: Event) -> object:
        return allow(event)

    variables = {"colour": "green"}
    handlers = {"authorizer": authorize}
    async with running(authorizer="authorizer", handlers=handlers, stage_variables=variables) as gateway:
        async with connect(gateway.ws):
            pass
        await gateway.functions.wait_for("disconnect")
        assert [event["stageVariables"] for _, event in gateway.functions.events] == [variables] * 3
    async with running(authorizer="authorizer", handlers=handlers) as gateway, connect(gateway.ws):
        assert gateway.functions.of("authorizer")[0]["stageVariables"] == {}
        assert "stageVariables" not in gateway.functions.of("connect")[0]
