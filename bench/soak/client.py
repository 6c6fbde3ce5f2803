"""One connection of the soak."""

from __future__ import annotations

import asyncio
import hashlib
import json
import random
from collections.abc import Iterator
from contextlib import suppress

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from bench.soak.ledger import Ledger

_FRAME = 30_000  # characters: under API Gateway's 32 KB a frame


class Client:
    """Reads all the time; sends one of five kinds of messages when told to."""

    def __init__(self, number: int, url: str, ledger: Ledger) -> None:
        self.number = number
        self.connection_id = ""
        self._url = url
        self._ledger = ledger
        self._socket: ClientConnection | None = None
        self._reader: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Connect and learn the own connection id."""
        self._socket = await connect(
            self._url, compression=None, max_queue=None, ping_interval=60, ping_timeout=60, open_timeout=60
        )
        # Asked before anything else can arrive: nobody knows this connection yet.
        await self._socket.send(json.dumps({"action": "who"}))
        self.connection_id = json.loads(await asyncio.wait_for(self._socket.recv(), 60))["id"]
        self._reader = asyncio.create_task(self._read(self._socket))

    async def close(self, *, rude: bool = False) -> None:
        """End the connection, without a close frame if `rude`."""
        assert self._socket is not None
        if rude:
            self._socket.transport.abort()
        await self._socket.close()
        if self._reader is not None:
            await self._reader

    @property
    def lost(self) -> bool:
        """Whether the other side has ended it."""
        return self._reader is not None and self._reader.done()

    async def echo(self) -> None:
        """To itself."""
        await self._send("echo", self.number, {})

    async def relay(self, other: Client) -> None:
        """To another connection."""
        await self._send("relay", other.number, {"to": other.connection_id})

    async def later(self) -> None:
        """By way of an asynchronous invocation."""
        await self._send("later", self.number, {"later": True})

    async def large(self) -> None:
        """Nearly a frame's limit."""
        await self._send("large", self.number, {"text": _text(28_000)})

    async def fragmented(self) -> None:
        """In several frames, nearly a message's limit."""
        await self._send("fragmented", self.number, {"text": _text(110_000)}, fragments=True)

    async def _send(self, kind: str, reader: int, said: dict[str, object], *, fragments: bool = False) -> None:
        assert self._socket is not None
        digest = _digest(said.get("text"))
        tag = self._ledger.send(kind, reader=reader, digest=digest)
        text = json.dumps({"action": kind, "tag": tag, **said})
        await self._socket.send(_parts(text) if fragments else text)

    async def _read(self, socket: ClientConnection) -> None:
        with suppress(ConnectionClosed):  # whether it should have is for `lost` to say
            async for text in socket:
                said = json.loads(text)
                if "tag" in said:
                    self._ledger.arrive(said["tag"], reader=self.number, digest=_digest(said.get("text")))
                else:
                    self._ledger.wrong[f"answered {said.get('message')}"] += 1


def _text(length: int) -> str:
    return random.randbytes(length // 2).hex()


def _digest(text: object) -> str:
    return hashlib.sha1(text.encode()).hexdigest() if isinstance(text, str) else ""


def _parts(text: str) -> Iterator[str]:
    for start in range(0, len(text), _FRAME):
        yield text[start : start + _FRAME]
