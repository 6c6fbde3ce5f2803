"""The JSON of the events, field by field."""

from __future__ import annotations

import re
import time
from urllib.parse import urlsplit

from tests.emulator.conformance.facts import fact
from tests.emulator.conformance.websocket.client import Application, Json
from tests.emulator.conformance.websocket.pages import AUTHORIZER, CONNECT, CONTEXT, MESSAGES

COMMON = {
    "apiId", "authorizer", "connectedAt", "connectionId", "domainName", "eventType", "extendedRequestId", "identity",
    "messageDirection", "requestId", "requestTime", "requestTimeEpoch", "routeKey", "stage",
}  # fmt: skip


async def authorizer_event(application: Application, connected: Json) -> Json:
    """What the authorizer was asked about this connection."""
    return (await application.written(connected["queryStringParameters"]["run"], "authorizer"))[0]


@fact("W30", AUTHORIZER)
async def test_the_authorizers_event(application: Application) -> None:
    """An authorizer's event has type REQUEST, `methodArn`, headers, query (each as two maps), `stageVariables` and the
    request context of a CONNECT."""
    async with application.connected() as client:
        event = dict(await authorizer_event(application, client.connected))
        event.pop("writtenAt")
        assert set(event) == {
            "headers", "methodArn", "multiValueHeaders", "multiValueQueryStringParameters", "queryStringParameters",
            "requestContext", "stageVariables", "type",
        }  # fmt: skip
        assert event["type"] == "REQUEST"
        assert event["headers"]["content-length"] == "0"
        assert set(event["requestContext"]) == COMMON - {"authorizer"}
        assert event["requestContext"]["eventType"] == "CONNECT"


@fact("W31", AUTHORIZER)
async def test_headers_are_spelled_as_the_client_did(application: Application) -> None:
    """Header names keep the client's spelling; the gateway adds X-Forwarded-For, -Port, -Proto and X-Amzn-Trace-Id."""
    async with application.connected(headers=[("HeaderAuth1", "headerValue1")]) as client:
        event = await authorizer_event(application, client.connected)
        assert event["headers"]["HeaderAuth1"] == "headerValue1"
        assert event["multiValueHeaders"]["HeaderAuth1"] == ["headerValue1"]
        assert event["multiValueHeaders"]["Upgrade"] == ["websocket"]
        assert event["headers"]["Sec-WebSocket-Version"] == "13"
        added = {"X-Forwarded-For", "X-Forwarded-Port", "X-Forwarded-Proto", "X-Amzn-Trace-Id"}
        assert added <= set(event["headers"])


@fact("W32", AUTHORIZER)
async def test_repeated_headers_and_parameters_are_kept(application: Application) -> None:
    """The multi-value maps hold every value in order, the plain maps one; the query is decoded."""
    query, headers = [("a", "1"), ("a", "2 ü")], [("X-Many", "1"), ("X-Many", "2")]
    async with application.connected(query=query, headers=headers) as client:
        for event in (client.connected, await authorizer_event(application, client.connected)):
            assert event["multiValueQueryStringParameters"]["a"] == ["1", "2 ü"]
            assert event["queryStringParameters"]["a"] == "2 ü"
            assert event["multiValueHeaders"]["X-Many"] == ["1", "2"]
            assert event["headers"]["X-Many"] == "2"


@fact("W33", CONNECT)
async def test_the_connect_event(application: Application) -> None:
    """The event of `$connect` has headers, query and request context, and no body."""
    async with application.connected() as client:
        assert {"headers", "multiValueHeaders", "queryStringParameters", "requestContext"} <= set(client.connected)
        assert "body" not in client.connected
        assert client.connected["isBase64Encoded"] is False
        context = client.connected["requestContext"]
        assert set(context) == COMMON
        assert (context["routeKey"], context["eventType"]) == ("$connect", "CONNECT")


@fact("W34", MESSAGES)
async def test_the_message_event(application: Application) -> None:
    """A message's event has its text as `body`, unchanged, `isBase64Encoded` false, and neither headers nor query."""
    async with application.connected() as client:
        text = '{"action":  "note", "text": "ä\u2028😀"}'
        await client.socket.send(text)
        (event,) = await client.routed()
        assert event["body"] == text
        assert event["isBase64Encoded"] is False
        assert not {"headers", "queryStringParameters"} & set(event)
        context = event["requestContext"]
        assert set(context) == COMMON | {"messageId"}
        assert (context["routeKey"], context["eventType"]) == ("note", "MESSAGE")


@fact("W35", CONTEXT)
async def test_the_disconnect_event(application: Application) -> None:
    """The event of `$disconnect` has the connection's request context, event type DISCONNECT, and no `messageId`."""
    async with application.connected() as client:
        await client.socket.close()
        context = (await client.disconnected())["requestContext"]
        assert set(context) == COMMON | {"disconnectReason", "disconnectStatusCode"}
        assert (context["routeKey"], context["eventType"]) == ("$disconnect", "DISCONNECT")


@fact("W36", CONTEXT)
async def test_each_message_has_an_id_of_its_own(application: Application) -> None:
    """`messageId` and `requestId` differ from message to message; `connectionId` and `connectedAt` stay."""
    async with application.connected() as client:
        await client.send("note")
        await client.send("note")
        first, second = (event["requestContext"] for event in await client.routed(2))
        assert first["messageId"] != second["messageId"]
        assert first["requestId"] != second["requestId"]
        for same in ("connectionId", "connectedAt"):
            assert first[same] == second[same] == client.connected["requestContext"][same]


@fact("W37", CONTEXT)
async def test_request_id_and_extended_request_id_are_the_same(application: Application) -> None:
    """`requestId` is the same as `extendedRequestId`."""
    async with application.connected() as client:
        context = client.connected["requestContext"]
        assert context["requestId"] == context["extendedRequestId"]


@fact("W38", CONTEXT)
async def test_times(application: Application) -> None:
    """`requestTime` has the common log format, `requestTimeEpoch` and `connectedAt` are milliseconds since 1970."""
    async with application.connected() as client:
        context = client.connected["requestContext"]
        assert re.fullmatch(r"\d\d/[A-Z][a-z][a-z]/\d{4}:\d\d:\d\d:\d\d \+0000", context["requestTime"])
        named = time.strptime(context["requestTime"], "%d/%b/%Y:%H:%M:%S %z")
        assert time.strftime("%M%S", named) == time.strftime("%M%S", time.gmtime(context["requestTimeEpoch"] / 1000))
        assert abs(context["requestTimeEpoch"] / 1000 - time.time()) < 60
        assert 0 <= context["requestTimeEpoch"] - context["connectedAt"] < 10_000


@fact("W39", CONTEXT)
async def test_who_and_where(application: Application) -> None:
    """`identity` has `sourceIp` and `userAgent`, `stage` is the stage's name, `messageDirection` is IN."""
    async with application.connected(user_agent_header="conformance/1") as client:
        context = client.connected["requestContext"]
        assert context["identity"]["userAgent"] == "conformance/1"
        assert re.fullmatch(r"[0-9.]+|[0-9a-f:]+", context["identity"]["sourceIp"])
        assert (context["stage"], context["messageDirection"]) == ("live", "IN")


@fact("W40", CONTEXT)
async def test_the_domain_name_calls_back(application: Application) -> None:
    """`domainName` and `stage` make the URL under which the connection can be posted to."""
    async with application.connected() as client:
        await client.send("reply", do={"post": "posted by the function"})
        assert sorted([await client.text(), await client.text()]) == ["posted", "posted by the function"]
        (event,) = await client.routed()
        assert urlsplit(f"https://{event['requestContext']['domainName']}").hostname
