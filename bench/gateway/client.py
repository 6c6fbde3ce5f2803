"""The client of the comparison: the library `websockets`, the same code for everyone."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException

ANSWER_S = 30.0
# What a message may meet; anything else is a mistake of this program.
TROUBLE = (OSError, TimeoutError, WebSocketException, EOFError)


@dataclass(slots=True)
class Outcomes:
    """Seconds of what succeeded, and the words of what did not."""

    seconds: list[float] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    def failed(self, error: BaseException) -> None:
        """Counts an error."""
        self.errors.append(f"{type(error).__name__}: {error}".strip(": ")[:200])


async def opened(url: str) -> ClientConnection:
    """A connection; no compression, since API Gateway offers none."""
    return await connect(url, compression=None, open_timeout=ANSWER_S, close_timeout=5, ping_interval=None)


async def round_trip(socket: ClientConnection, text: str) -> float:
    """Sends one message and waits for it to come back; the seconds between."""
    began = time.perf_counter()
    await socket.send(text)
    async with asyncio.timeout(ANSWER_S):
        answer = await socket.recv()
    took = time.perf_counter() - began
    if answer != text:
        raise WebSocketException(f"another message came back: {answer!r}")
    return took


async def first(url: str, *, within_s: float) -> None:
    """Tries until one round trip has succeeded. Raises what it met last when the time is over."""
    ends = time.monotonic() + within_s
    while True:
        try:
            async with await opened(url) as socket:
                await round_trip(socket, "first")
            return
        except TROUBLE:
            if time.monotonic() > ends:
                raise
            await asyncio.sleep(0.02)


async def burst(url: str, number: int) -> Outcomes:
    """Connects all at once, and each sends a message at once; the seconds are from the beginning to the answer."""
    outcomes, began = Outcomes(), time.perf_counter()

    async def one(name: int) -> ClientConnection | None:
        try:
            socket = await opened(url)
            await round_trip(socket, f"burst {name}")
        except TROUBLE as error:
            outcomes.failed(error)
            return None
        outcomes.seconds.append(time.perf_counter() - began)
        return socket

    sockets = await asyncio.gather(*(one(name) for name in range(number)))
    await closed([socket for socket in sockets if socket is not None])
    return outcomes


async def in_turn(url: str, number: int, *, within_s: float) -> Outcomes:
    """One client, one message after the other."""
    outcomes, ends = Outcomes(), time.monotonic() + within_s
    async with await opened(url) as socket:
        for name in range(number):
            if time.monotonic() > ends:
                break
            outcomes.seconds.append(await round_trip(socket, f"message {name}"))
    return outcomes


async def crowd(sockets: list[ClientConnection], *, for_s: float) -> Outcomes:
    """All clients at once, each sending its next message when the last one is back."""
    outcomes, ends = Outcomes(), time.monotonic() + for_s

    async def one(socket: ClientConnection) -> None:
        while time.monotonic() < ends:
            try:
                outcomes.seconds.append(await round_trip(socket, "message"))
            except TROUBLE as error:
                outcomes.failed(error)
                return

    await asyncio.gather(*(one(socket) for socket in sockets))
    return outcomes


async def connected(url: str, number: int, *, at_once: int, into: list[ClientConnection]) -> Outcomes:
    """Opens so many connections and keeps them in `into`; the seconds are of each handshake."""
    outcomes, left = Outcomes(), iter(range(number))

    async def one() -> None:
        for _ in left:
            began = time.perf_counter()
            try:
                into.append(await opened(url))
            except TROUBLE as error:
                outcomes.failed(error)
            else:
                outcomes.seconds.append(time.perf_counter() - began)

    await asyncio.gather(*(one() for _ in range(at_once)))
    return outcomes


async def closed(sockets: list[ClientConnection]) -> None:
    """Closes all."""
    await asyncio.gather(*(socket.close() for socket in sockets), return_exceptions=True)
