"""The wire itself, with hand-made bytes.

Source: RFC 6455.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from tests.emulator.gateway.harness import Gateway, running

KEY = "dGhlIHNhbXBsZSBub25jZQ=="
UPGRADE = {"Host": "x", "Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13"}


@asynccontextmanager
async def raw(gateway: Gateway) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """A TCP connection."""
    reader, writer = await asyncio.open_connection("127.0.0.1", gateway.port)
    try:
        yield reader, writer
    finally:
        writer.close()
        await writer.wait_closed()


def request(headers: dict[str, str]) -> bytes:
    """An upgrade request."""
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"GET /live HTTP/1.1\r\n{lines}\r\n".encode()


async def opened(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
    """Complete a handshake; returns the response."""
    writer.write(request({**UPGRADE, "Sec-WebSocket-Key": KEY}))
    return await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 5)


async def test_the_handshake_is_that_of_the_rfc() -> None:
    """The accept value of RFC 6455 section 1.3 comes back."""
    async with running() as gateway, raw(gateway) as (reader, writer):
        response = await opened(reader, writer)
        assert response.startswith(b"HTTP/1.1 101 ")
        assert b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" in response


@pytest.mark.parametrize("headers", [UPGRADE, {**UPGRADE, "Sec-WebSocket-Key": "short"}])
async def test_a_wrong_handshake_is_400_and_reaches_no_function(headers: dict[str, str]) -> None:
    """Section 4.2.1: a missing or malformed key."""
    async with running() as gateway, raw(gateway) as (reader, writer):
        writer.write(request(headers))
        assert (await asyncio.wait_for(reader.read(), 5)).startswith(b"HTTP/1.1 400 ")
        assert gateway.functions.events == []


async def test_an_unmasked_frame_is_a_protocol_error() -> None:
    """Section 5.1: the server closes with 1002."""
    async with running() as gateway, raw(gateway) as (reader, writer):
        await opened(reader, writer)
        writer.write(b"\x81\x02hi")
        assert (await asyncio.wait_for(reader.read(), 5))[:4][2:] == (1002).to_bytes(2, "big")


async def test_a_frame_that_comes_byte_by_byte_is_one_frame() -> None:
    """TCP may cut anywhere."""
    async with running(routes={"$default": "default"}) as gateway, raw(gateway) as (reader, writer):
        await opened(reader, writer)
        for byte in b"\x81\x82\x00\x00\x00\x00ok":
            writer.write(bytes([byte]))
            await asyncio.sleep(0.002)
        (event,) = await gateway.functions.wait_for("default")
        assert event["body"] == "ok"
