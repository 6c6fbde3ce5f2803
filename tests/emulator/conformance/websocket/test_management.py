"""`@connections`, with boto3 and with bare HTTP."""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.exceptions import ClientError

from tests.emulator.conformance.facts import fact
from tests.emulator.conformance.target import Target
from tests.emulator.conformance.websocket.client import Application, connection_url
from tests.emulator.conformance.websocket.pages import (
    CONNECTIONS,
    EARLY,
    FORBIDDEN,
    GET,
    GONE,
    IAM,
    LIMITED,
    QUOTAS,
    TOO_LARGE,
)

MESSAGE = 128 * 1024


async def post(application: Application, connection_id: str, data: bytes) -> Any:
    """Post with boto3."""
    return await asyncio.to_thread(application.management.post_to_connection, ConnectionId=connection_id, Data=data)


async def http(
    application: Application, method: str, url: str, data: bytes | None = None, *, signed: bool = True
) -> tuple[int, Mapping[str, str], bytes]:
    """Status, headers (names in lower case) and body of one request, signed as the command line's tools sign it."""
    request = AWSRequest(method=method, url=url, data=data)
    if signed:
        meta = application.management.meta
        credentials = application.management._request_signer._credentials
        SigV4Auth(credentials, "execute-api", meta.region_name).add_auth(request)
    plain = Request(url, data=data, method=method, headers=dict(request.headers.items()))

    def send() -> tuple[int, Mapping[str, str], bytes]:
        try:
            with urlopen(plain, timeout=10) as answer:
                return answer.status, _lower(answer.headers.items()), answer.read()
        except HTTPError as error:
            with error:
                return error.code, _lower(error.headers.items()), error.read()

    return await asyncio.to_thread(send)


def named(error: ClientError) -> tuple[int, str]:
    """Status of an error, and its name as the header gives it."""
    meta = error.response["ResponseMetadata"]
    return meta["HTTPStatusCode"], meta["HTTPHeaders"]["x-amzn-errortype"]


def _lower(headers: Iterable[tuple[str, str]]) -> dict[str, str]:
    return {name.lower(): value for name, value in headers}


@fact("M1", CONNECTIONS)
async def test_post_sends_a_message(application: Application) -> None:
    """POST sends its body as one text message and is answered with 200."""
    async with application.connected() as client:
        answer = await post(application, client.id, "hällo 😀".encode())
        assert answer["ResponseMetadata"]["HTTPStatusCode"] == 200
        assert await client.text() == "hällo 😀"


@fact("M2", GET)
async def test_get_tells_of_the_connection(application: Application) -> None:
    """GET returns ConnectedAt, LastActiveAt and Identity with SourceIp and UserAgent."""
    async with application.connected(user_agent_header="conformance/1") as client:
        facts = await asyncio.to_thread(application.management.get_connection, ConnectionId=client.id)
        context = client.connected["requestContext"]
        assert facts["Identity"] == {"SourceIp": context["identity"]["sourceIp"], "UserAgent": "conformance/1"}
        assert abs(facts["ConnectedAt"].timestamp() - context["connectedAt"] / 1000) < 2
        assert facts["LastActiveAt"].timestamp() >= int(facts["ConnectedAt"].timestamp())


@fact("M3", GET)
async def test_the_json_of_get(application: Application) -> None:
    """On the wire the fields are connectedAt and lastActiveAt, as ISO 8601 in UTC, and identity."""
    async with application.connected() as client:
        status, headers, body = await http(application, "GET", connection_url(application.main, client.id))
        assert (status, headers["content-type"]) == (200, "application/json")
        facts = json.loads(body)
        assert set(facts) == {"connectedAt", "lastActiveAt", "identity"}
        assert set(facts["identity"]) == {"sourceIp", "userAgent"}
        assert all(re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", facts[name]) for name in ("connectedAt", "lastActiveAt"))
        assert all(facts[name].endswith("Z") for name in ("connectedAt", "lastActiveAt"))


@fact("M4", GET)
async def test_last_active_moves_with_messages(application: Application) -> None:
    """LastActiveAt is the time of the connection's last activity."""
    async with application.connected() as client:
        before = await asyncio.to_thread(application.management.get_connection, ConnectionId=client.id)
        await asyncio.sleep(1.1)
        await post(application, client.id, b"x")
        after = await asyncio.to_thread(application.management.get_connection, ConnectionId=client.id)
        assert after["ConnectedAt"] == before["ConnectedAt"]
        assert after["LastActiveAt"] > before["LastActiveAt"]


@fact("M5", CONNECTIONS)
async def test_delete_disconnects_the_client(application: Application) -> None:
    """DELETE closes the connection and is answered with 204."""
    async with application.connected() as client:
        answer = await asyncio.to_thread(application.management.delete_connection, ConnectionId=client.id)
        assert answer["ResponseMetadata"]["HTTPStatusCode"] == 204
        assert await client.close_code() == 1000


@fact("M6", CONNECTIONS)
async def test_the_path_may_be_encoded(application: Application) -> None:
    """`%40connections` and an id whose `=` is `%3D` are the same as the plain path."""
    async with application.connected() as client:
        url = connection_url(application.main, client.id)
        assert url.endswith("%3D")
        for each in (url, url.replace("%40", "@").replace("%3D", "=")):
            assert (await http(application, "POST", each, b"x"))[0] == 200
            assert await client.text() == "x"


@pytest.mark.parametrize("call", ["get_connection", "delete_connection", "post_to_connection"])
@fact("M10", GONE)
async def test_a_connection_that_was_closed_is_gone(application: Application, call: str) -> None:
    """All three calls raise GoneException, status 410, once the connection no longer exists."""
    async with application.connected() as client:
        await client.socket.close()
        await client.disconnected()
        data = {"Data": b"x"} if call == "post_to_connection" else {}
        with pytest.raises(application.management.exceptions.GoneException) as gone:
            await asyncio.to_thread(getattr(application.management, call), ConnectionId=client.id, **data)
        assert named(gone.value) == (410, "GoneException")


@fact("M11", GONE)
async def test_an_error_is_named_in_a_header(application: Application) -> None:
    """The error's name stands in the header `x-amzn-ErrorType`."""
    url = connection_url(application.main, "L0SM9cOFvHcCIhw=")
    status, headers, _ = await http(application, "POST", url, b"x")
    assert (status, headers["x-amzn-errortype"]) == (410, "GoneException")


@fact("M12", EARLY)
async def test_posting_during_connect_is_gone(application: Application) -> None:
    """The function of `$connect` can't post to the connection that it is about to accept: 410."""
    assert (await application.refused(do={"post": "early"})).status == 410


@fact("M13", CONNECTIONS)
async def test_an_unsigned_request_is_403(application: Application) -> None:
    """The requests use IAM authorization: without a signature of version 4 all three are refused with 403."""
    async with application.connected() as client:
        url = connection_url(application.main, client.id)
        for method, data in (("POST", b"x"), ("GET", None), ("DELETE", None)):
            status, _, body = await http(application, method, url, data, signed=False)
            assert status == 403
            assert "message" in json.loads(body)
        assert await client.silent(0.1)


@fact("M14", FORBIDDEN)
async def test_a_forbidden_call_is_a_forbidden_exception(application: Application) -> None:
    """A call for a stage that the API does not have raises ForbiddenException, status 403."""
    async with application.connected() as client:
        url = connection_url(application.main, client.id).replace("/live/", "/other/")
        status, headers, body = await http(application, "POST", url, b"x")
        assert (status, headers["x-amzn-errortype"]) == (403, "ForbiddenException")
        assert json.loads(body) == {"message": "Forbidden"}
        elsewhere = Target(application.main.websocket.replace("/live", "/other")).management()
        with pytest.raises(elsewhere.exceptions.ForbiddenException):
            await asyncio.to_thread(elsewhere.post_to_connection, ConnectionId=client.id, Data=b"x")
        elsewhere.close()


@fact("M15", IAM)
async def test_the_connections_of_another_api_are_not_reached(application: Application) -> None:
    """`@connections` is under the API and stage of the connection; under another API's address it is not found."""
    async with application.connected() as client:
        status, _, _ = await http(application, "POST", connection_url(application.other, client.id), b"x")
        assert status == 410
        assert await client.silent(0.1)


@fact("M20", QUOTAS)
async def test_a_post_of_128_kb_arrives_in_frames(application: Application) -> None:
    """A payload may have 128 KB; it reaches the client as one message in frames of at most 32 KB."""
    async with application.connected() as client:
        await post(application, client.id, b"x" * MESSAGE)
        sizes = [len(part) async for part in client.socket.recv_streaming()]
        assert sum(sizes) == MESSAGE
        assert max(sizes) <= 32 * 1024


@fact("M21", TOO_LARGE)
async def test_a_post_over_128_kb_is_too_large(application: Application) -> None:
    """A payload over 128 KB raises PayloadTooLargeException, status 413, and the connection stays."""
    async with application.connected() as client:
        with pytest.raises(application.management.exceptions.PayloadTooLargeException) as large:
            await post(application, client.id, b"x" * (MESSAGE + 1))
        assert named(large.value) == (413, "PayloadTooLargeException")
        await post(application, client.id, b"small")
        assert await client.text() == "small"


@fact("M22", LIMITED, local="the fault is ordered from the emulator")
async def test_too_many_posts_are_limited(application: Application) -> None:
    """A client that sends more than it may gets LimitExceededException, status 429; the message does not arrive."""
    async with application.connected() as client:
        await application.control.inject("post_throttled", connection=client.id)
        with pytest.raises(application.management.exceptions.LimitExceededException) as limited:
            await post(application, client.id, b"lost")
        assert named(limited.value) == (429, "LimitExceededException")
        await post(application, client.id, b"next")
        assert await client.text() == "next"


@fact("M23", LIMITED, local="the buffer's size, which AWS does not publish, is made small")
async def test_a_client_that_does_not_read_is_limited(application: Application) -> None:
    """Posts to a client whose buffer is full get LimitExceededException, while others get theirs."""

    def fill(connection_id: str) -> None:
        until = time.monotonic() + 20
        while time.monotonic() < until:
            application.management.post_to_connection(ConnectionId=connection_id, Data=b"x" * MESSAGE)

    small = application.control.limits(send_buffer_bytes=64 * 1024)
    async with application.connected() as slow, application.connected() as other, small:
        slow.socket.transport.pause_reading()
        with pytest.raises(application.management.exceptions.LimitExceededException):
            await asyncio.to_thread(fill, slow.id)
        await post(application, other.id, b"hello")
        assert await other.text() == "hello"
        slow.socket.transport.abort()


@fact("M24", CONNECTIONS)
async def test_posts_of_one_sender_arrive_in_order(application: Application) -> None:
    """A post is answered when it has been taken: what is posted one after the other arrives so."""
    async with application.connected() as client:

        def send() -> None:
            for number in range(20):
                application.management.post_to_connection(ConnectionId=client.id, Data=str(number).encode())

        await asyncio.to_thread(send)
        assert [await client.text() for _ in range(20)] == [str(number) for number in range(20)]


@fact("M25", CONNECTIONS)
async def test_other_methods_are_refused(application: Application) -> None:
    """There are POST, GET and DELETE, no other request."""
    async with application.connected() as client:
        status, _, _ = await http(application, "PUT", connection_url(application.main, client.id), b"x")
        assert 400 <= status < 500
        assert await client.silent(0.1)


@fact("M26", CONNECTIONS)
async def test_an_id_that_no_connection_ever_had(application: Application) -> None:
    """An id that is none is refused, whatever its form."""
    for made_up in ("nonsense", "L0SM9cOFvHcCIhw="):
        with pytest.raises(ClientError) as failure:
            await post(application, made_up, b"x")
        assert failure.value.response["ResponseMetadata"]["HTTPStatusCode"] in (400, 410)
