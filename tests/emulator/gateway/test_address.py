"""Pages from elsewhere do not get at what acts."""

from __future__ import annotations

import aiohttp
import pytest
from websockets.asyncio.client import connect

from emulator.gateway.address import OwnAddress
from emulator.gateway.asgi import Scope
from tests.emulator.gateway.harness import Gateway, running

ID = "AAAAAAAAAAAAAAA="
GUARDED = [
    "/_emulator/health",
    "/_emulator/limits",
    "/2015-03-31/functions/connect/invocations",
    f"/live/@connections/{ID}",
]
REBOUND = {"Host": "rebound.example:3001"}


def scope(host: str, *origins: str, scheme: str = "http") -> Scope:
    """A request."""
    headers = [(b"host", host.encode()), *((b"origin", origin.encode()) for origin in origins)]
    return {"type": "http", "scheme": scheme, "headers": headers}


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1:3001", "127.0.0.1", "[::1]:3001", "[::1]", "localhost:3001", "LOCALHOST", "box.lan:3001", "192.0.2.1"],
)
def test_an_address_localhost_and_the_hosts_own_name_may_be_asked(host: str) -> None:
    """Whatever the port, with and without it."""
    assert OwnAddress("box.lan").refusal_with_origin(scope(host)) is None


@pytest.mark.parametrize(
    "host", ["rebound.example:3001", "localhost.example", "", "[", "127.0.0.1.example", "evil@127.0.0.1"]
)
def test_another_name_may_not(host: str) -> None:
    """It may be one that was made to mean this machine."""
    assert OwnAddress("127.0.0.1").refusal(scope(host)) is not None


def test_the_page_of_the_emulator_may_ask() -> None:
    """Its origin is the address that is asked, over TLS as over HTTP."""
    own = OwnAddress("127.0.0.1")
    assert own.refusal_with_origin(scope("localhost:3001", "http://localhost:3001")) is None
    assert own.refusal_with_origin(scope("[::1]:3001", "https://[::1]:3001", scheme="https")) is None


@pytest.mark.parametrize(
    "origins",
    [["https://example.com"], ["null"], ["http://localhost:5173"], ["https://localhost:3001"],
     ["http://localhost:3001", "https://example.com"]],
)  # fmt: skip
def test_a_page_from_elsewhere_may_not_ask(origins: list[str]) -> None:
    """Another name, port or scheme is another origin; one good origin does not cover a second."""
    refusal = OwnAddress("127.0.0.1").refusal_with_origin(scope("localhost:3001", *origins))
    assert refusal is not None
    assert origins[0] in refusal


async def _ask(gateway: Gateway, method: str, path: str, headers: dict[str, str]) -> tuple[int, object]:
    async with aiohttp.ClientSession() as http, http.request(method, gateway.url + path, headers=headers) as got:
        return got.status, await got.json(content_type=None)


@pytest.mark.parametrize("path", GUARDED)
@pytest.mark.parametrize("headers", [REBOUND, {"Origin": "https://example.com"}], ids=["host", "origin"])
async def test_what_acts_is_refused_to_pages_from_elsewhere(path: str, headers: dict[str, str]) -> None:
    """403 and why, as JSON; a signature does not help, and no function runs."""
    async with running() as gateway:
        signed = {"Authorization": "AWS4-HMAC-SHA256 x", **headers}
        status, said = await _ask(gateway, "POST", path, signed)
        assert gateway.functions.events == []
    assert status == 403
    assert isinstance(said, dict)
    assert next(iter(headers.values())) in said["message"]


async def test_a_page_under_a_rebound_name_gets_no_token() -> None:
    """It would be of one origin with the issuer; a page elsewhere is kept off by its browser."""
    async with running() as gateway:
        assert (await _ask(gateway, "GET", "/token?user=a", REBOUND))[0] == 403
        assert (await _ask(gateway, "GET", "/token?user=a", {"Origin": "http://localhost:5173"}))[0] == 200


async def test_any_page_may_open_a_websocket() -> None:
    """API Gateway looks at no origin; that is for `$connect` to do."""
    async with running() as gateway, connect(gateway.ws, origin="https://example.com"):  # type: ignore[arg-type]  # a NewType
        (event,) = await gateway.functions.wait_for("connect")
    assert event["headers"]["Origin"] == "https://example.com"
