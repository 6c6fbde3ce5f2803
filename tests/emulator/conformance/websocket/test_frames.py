"""Sizes and kinds of frames."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from websockets.frames import CloseCode

from tests.emulator.conformance.facts import fact
from tests.emulator.conformance.websocket.client import Application
from tests.emulator.conformance.websocket.pages import BINARY, MESSAGES, QUOTAS, RFC

FRAME = 32 * 1024
MESSAGE = 128 * 1024


@fact("W80", QUOTAS)
async def test_a_frame_of_32_kb_is_taken(application: Application) -> None:
    """A frame may have 32 KB."""
    async with application.connected() as client:
        await client.socket.send("x" * FRAME)
        (event,) = await client.routed()
        assert len(event["body"]) == FRAME


@fact("W81", QUOTAS)
async def test_a_frame_over_32_kb_is_1009(application: Application) -> None:
    """A frame over 32 KB closes the connection with 1009."""
    async with application.connected() as client:
        await client.socket.send("x" * (FRAME + 1))
        assert await client.close_code() == CloseCode.MESSAGE_TOO_BIG


@fact("W82", QUOTAS)
async def test_a_message_of_128_kb_in_frames_is_taken(application: Application) -> None:
    """A message may have 128 KB, split into frames of at most 32 KB; the function gets it whole."""
    async with application.connected() as client:
        await client.socket.send(["abcd" * (FRAME // 4)] * 4)
        (event,) = await client.routed()
        assert event["body"] == "abcd" * (MESSAGE // 4)


@fact("W83", QUOTAS)
async def test_a_message_over_128_kb_is_1009(application: Application) -> None:
    """A message over 128 KB closes the connection with 1009, though each of its frames is small enough."""
    async with application.connected() as client:
        await client.socket.send(["x" * FRAME] * 4 + ["x"])
        assert await client.close_code() == CloseCode.MESSAGE_TOO_BIG


@fact("W84", BINARY)
async def test_a_binary_frame_is_1003(application: Application) -> None:
    """A binary frame is rejected, and the client disconnected with 1003."""
    async with application.connected() as client:
        await client.socket.send(b"binary")
        assert await client.close_code() == CloseCode.UNSUPPORTED_DATA


@fact("W85", MESSAGES)
async def test_sizes_are_bytes(application: Application) -> None:
    """The limits are sizes of payloads, bytes of UTF-8 and not characters."""
    async with application.connected() as client:
        await client.socket.send("ä" * (FRAME // 2 + 1))
        assert await client.close_code() == CloseCode.MESSAGE_TOO_BIG


@fact("W86", RFC)
async def test_a_character_may_be_split_between_frames(application: Application) -> None:
    """A text message is UTF-8 as a whole, not frame by frame."""
    async with application.connected() as client:
        raw = "😀".encode()
        await client.socket.send([raw[:2], raw[2:]], text=True)
        (event,) = await client.routed()
        assert event["body"] == "😀"


@fact("W87", RFC)
async def test_text_that_is_no_utf_8_is_1007(application: Application) -> None:
    """A text message that is not UTF-8 closes the connection with 1007."""
    async with application.connected() as client:
        await client.socket.send(b"\xff\xfe", text=True)
        assert await client.close_code() == CloseCode.INVALID_DATA


@fact("W88", RFC)
async def test_pings_are_answered(application: Application) -> None:
    """A ping gets its pong with the same data, while a message is being worked on too."""
    async with application.connected() as client:
        await client.send("note", do={"sleep": 0.5})
        pong = await client.socket.ping(b"abc")
        assert await asyncio.wait_for(pong, 0.4) >= 0


@pytest.mark.parametrize("data", ["x" * (FRAME + 1), b"binary"])
@fact("W89", MESSAGES)
async def test_other_connections_go_on(application: Application, data: str | bytes) -> None:
    """What one client does wrong closes its connection alone."""
    async with application.connected() as other, application.connected() as client:
        await client.socket.send(data)
        await client.close_code()
        await other.send("reply", do={"reply": {"body": "here"}})
        assert await other.text() == "here"


@fact("W90", RFC)
async def test_an_unmasked_frame_closes_the_connection(application: Application) -> None:
    """A frame of a client must be masked: the server closes the connection, with 1002 if it says why."""
    async with application.connected() as client:
        client.socket.transport.write(b"\x81\x02hi")
        assert await client.close_code() in (CloseCode.PROTOCOL_ERROR, CloseCode.ABNORMAL_CLOSURE)


@fact("W91", RFC)
async def test_a_ping_may_come_between_the_frames_of_a_message(application: Application) -> None:
    """Control frames may stand between the frames of a message, which is whole all the same."""
    async with application.connected() as client:

        async def parts() -> AsyncIterator[str]:
            yield "one "
            await asyncio.wait_for(await client.socket.ping(), 5)
            yield "two"

        await client.socket.send(parts())
        (event,) = await client.routed()
        assert event["body"] == "one two"
