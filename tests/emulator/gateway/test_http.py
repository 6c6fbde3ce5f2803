"""Requests by the byte: heads that are wrong or too large, and requests that never end."""

from __future__ import annotations

import asyncio

import pytest

from tests.emulator.gateway.harness import running

SIGNED = b"Authorization: AWS4-HMAC-SHA256 x\r\n"
UPGRADE = b"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
UPGRADE += b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
POST = b"POST /live/@connections/AAAAAAAAAAAAAAA= HTTP/1.1\r\n"
HOST = b"Host: 127.0.0.1\r\n"


async def answer(port: int, *pieces: bytes, pause_s: float = 0.0) -> bytes:
    """What comes back until the server closes; each piece is sent after a pause."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for piece in pieces:
        writer.write(piece)
        await writer.drain()
        await asyncio.sleep(pause_s)
    got = await asyncio.wait_for(reader.read(), 10)
    writer.close()
    return got


def status(got: bytes) -> int:
    """The status of an answer."""
    return int(got.split(b" ", 2)[1])


@pytest.mark.parametrize("further", [b"", UPGRADE], ids=["http", "handshake"])
@pytest.mark.parametrize("hosts", [b"", HOST * 2], ids=["none", "two"])
async def test_a_request_names_one_host(further: bytes, hosts: bytes) -> None:
    """Without Host, or with two, it gets 400 (RFC 9112 section 3.2), and the connection ends."""
    async with running() as gateway:
        got = await answer(gateway.port, b"GET /live HTTP/1.1\r\n" + hosts + further + b"\r\n")
    assert status(got) == 400
    assert got.endswith(b'{"message": "Bad Request"}')


async def test_http_1_0_needs_no_host() -> None:
    """Its requests are older than the header."""
    async with running() as gateway:
        assert status(await answer(gateway.port, b"GET /.well-known/jwks.json HTTP/1.0\r\n\r\n")) == 200


MANY = b"".join(b"X-Filler-With-A-Name-%d: y\r\n" % number for number in range(5000))


@pytest.mark.parametrize("start", [POST + SIGNED, b"GET /live HTTP/1.1\r\n" + UPGRADE], ids=["post", "handshake"])
@pytest.mark.parametrize(
    "filler", [b"X-Filler: " + b"y" * 10_240 + b"\r\n", b"X-Filler: " + b"y" * 200_000 + b"\r\n", MANY]
)
async def test_a_head_that_is_too_large_is_refused(start: bytes, filler: bytes) -> None:
    """Values over 10,240 bytes, or names without end, get 431; nothing is asked of the application."""
    async with running() as gateway:
        assert status(await answer(gateway.port, start + HOST + filler + b"\r\n")) == 431
        assert gateway.functions.events == []


async def test_a_header_without_an_end_is_refused() -> None:
    """431 comes before the line ends."""
    async with running() as gateway:
        assert (
            status(await answer(gateway.port, POST + HOST + b"X-Filler: ", *[b"y" * 40_000] * 3, pause_s=0.05)) == 431
        )


async def test_ten_thousand_bytes_of_values_pass() -> None:
    """A head below the bound is served."""
    async with running() as gateway:
        head = (
            POST
            + HOST
            + SIGNED
            + b"X-Filler: "
            + b"y" * 10_000
            + b"\r\nConnection: close\r\nContent-Length: 1\r\n\r\nx"
        )
        assert status(await answer(gateway.port, head)) == 410


@pytest.mark.parametrize(
    "pieces",
    [
        (b"",),
        (b"GET / HTTP/1.1\r\nHo",),
        (POST + HOST + SIGNED + b"Content-Length: 1000000000000000000\r\n\r\nabc",),
        (POST + HOST + SIGNED + b"Content-Length: 10\r\n\r\n",),
    ],
    ids=["nothing", "half a head", "an endless body", "no body"],
)
async def test_a_request_that_never_ends_is_given_up(pieces: tuple[bytes, ...]) -> None:
    """408 once the client has been silent for so long."""
    async with running(patience=0.2) as gateway:
        assert status(await answer(gateway.port, *pieces)) == 408


async def test_a_slow_request_is_served() -> None:
    """Each byte begins the wait anew, and a handler's own time does not count."""

    async def slow(event: object) -> object:
        await asyncio.sleep(0.6)
        return {}

    async with running(handlers={"slow": slow}, patience=0.3) as gateway:
        head = b"POST /2015-03-31/functions/slow/invocations HTTP/1.1\r\nConnection: close\r\n" + HOST + SIGNED
        pieces = (head, b"Content-Length: 2\r\n\r\n", b"{", b"}")
        assert status(await answer(gateway.port, *pieces, pause_s=0.15)) == 200


async def test_a_head_is_measured_alone() -> None:
    """The body of the request before, in the same piece of bytes, is none of it."""
    async with running() as gateway:
        first = POST + HOST + SIGNED + b"Content-Length: 100000\r\n\r\n" + b"y" * 100_000
        got = await answer(gateway.port, first + POST, HOST + SIGNED + b"Connection: close\r\n\r\n", pause_s=0.1)
        assert got.count(b"HTTP/1.1 410") == 2
