"""`$connect`: when a handshake completes, and how it fails."""

from __future__ import annotations

import time

from websockets.typing import Subprotocol

from tests.emulator.conformance.facts import fact
from tests.emulator.conformance.websocket.client import Application
from tests.emulator.conformance.websocket.pages import CONNECT, QUOTAS, SUBPROTOCOL


@fact("W1", CONNECT)
async def test_connect_runs_while_the_handshake_waits(application: Application) -> None:
    """The upgrade request is pending until the integration of `$connect` has answered."""
    started = time.monotonic()
    async with application.connected(do={"sleep": 0.4}):
        assert time.monotonic() - started > 0.4


@fact("W2", CONNECT)
async def test_a_2xx_answer_connects(application: Application) -> None:
    """An answer of `$connect` with a status of success establishes the connection."""
    async with application.connected(do={"reply": {"statusCode": 201}}) as client:
        await client.send("reply", do={"reply": {"body": "hello"}})
        assert await client.text() == "hello"


@fact("W3", SUBPROTOCOL)
async def test_another_status_refuses_with_that_status(application: Application) -> None:
    """A status such as 400 in the answer of `$connect` is the client's HTTP status, and there is no connection."""
    for status in (400, 404, 503):
        assert (await application.refused(do={"reply": {"statusCode": status}})).status == status


@fact("W4", CONNECT)
async def test_a_failing_connect_refuses(application: Application) -> None:
    """If the integration of `$connect` fails, the connection is not made; the status is one of the server's errors."""
    assert (await application.refused(do={"fail": "boom"})).status >= 500


@fact("W5", CONNECT)
async def test_an_answer_that_is_none_refuses(application: Application) -> None:
    """An answer of `$connect` that is no proxy response is a failure of the integration."""
    for answer in ("yes", {"status": 200}, None):
        assert (await application.refused(do={"answer": answer})).status >= 500


@fact("W6", CONNECT)
async def test_a_refused_client_is_never_disconnected(application: Application) -> None:
    """A refused handshake causes no `$disconnect`, which comes after a connection was closed."""
    run = "refused-" + str(time.time_ns())
    await application.refused(do={"reply": {"statusCode": 403}}, run=run)
    (event,) = await application.written(run, "connect")
    assert await application.ledger(event["requestContext"]["connectionId"]) == []


@fact("W7", SUBPROTOCOL)
async def test_the_returned_subprotocol_is_the_clients(application: Application) -> None:
    """A `Sec-WebSocket-Protocol` header in the answer of `$connect` goes to the client; the event has what it asked."""
    offered = [Subprotocol("chat1"), Subprotocol("myprotocol")]
    answer = {"reply": {"headers": {"Sec-WebSocket-Protocol": "myprotocol"}}}
    async with application.connected(do=answer, subprotocols=offered) as client:
        assert client.socket.subprotocol == "myprotocol"
        asked = client.connected["headers"]["Sec-WebSocket-Protocol"]
        assert [each.strip() for each in asked.split(",")] == ["chat1", "myprotocol"]


@fact("W8", SUBPROTOCOL)
async def test_no_subprotocol_unless_it_is_returned(application: Application) -> None:
    """API Gateway chooses no subprotocol by itself."""
    async with application.connected(subprotocols=[Subprotocol("chat1")]) as client:
        assert client.socket.subprotocol is None


@fact("W9", QUOTAS, local="the quota of 29 s is shortened")
async def test_a_late_connect_refuses(application: Application) -> None:
    """An integration of `$connect` that takes longer than the integration time-out is a failure."""
    async with application.control.limits(integration_timeout=0.3):
        assert (await application.refused(do={"sleep": 1})).status == 504


@fact("W24", QUOTAS)
async def test_a_url_has_4096_characters_at_most(application: Application) -> None:
    """A URL with more than 4,096 characters is refused."""
    async with application.connected(query=[("long", "x" * 3500)]) as client:
        assert len(client.connected["queryStringParameters"]["long"]) == 3500
    assert (await application.refused(do={"pad": "x" * 4100})).status >= 400
