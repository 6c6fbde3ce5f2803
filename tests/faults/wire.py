"""One open socket: `websockets` and hand-written JSON, nothing of either program."""

import json
import urllib.error
import urllib.request
from collections.abc import AsyncIterator
from typing import Any, Self

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake

Frame = dict[str, Any]
TERMINAL = frozenset({"agent_completed", "agent_error", "agent_cancelled"})
FRAME_BYTES = 32 * 1024


class NotOpened(Exception):
    """The handshake failed, or no token was to be had."""


def token_for(url: str, user: str) -> str:
    """A token of the development issuer. Raises `NotOpened`."""
    try:
        with urllib.request.urlopen(f"{url}/token?user={user}", timeout=10) as answer:
            token: str = json.load(answer)["token"]
    except OSError as error:
        raise NotOpened(str(error)) from error
    return token


class Link:
    """One open socket of a user."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket

    @classmethod
    async def open(cls, url: str, token: str) -> Self:
        """Connects with the token. Raises `NotOpened`."""
        address = url.replace("http://", "ws://") + "/live"
        try:
            socket = await connect(
                address,
                subprotocols=["dayfly.v1", f"bearer.{token}"],  # type: ignore[list-item]
                ping_interval=None,
                compression=None,
                open_timeout=30,
                close_timeout=5,
            )
        except (OSError, TimeoutError, InvalidHandshake) as error:
            raise NotOpened(str(error)) from error
        return cls(socket)

    async def send(self, text: str) -> bool:
        """Sends a frame; False where the socket is closed."""
        try:
            await self._socket.send(text)
        except ConnectionClosed:
            return False
        return True

    async def frames(self) -> AsyncIterator[tuple[Frame, int]]:
        """Every frame and its size in bytes, until the socket is closed."""
        try:
            async for data in self._socket:
                yield json.loads(data), len(data.encode() if isinstance(data, str) else data)
        except ConnectionClosed:
            return

    async def close(self) -> None:
        """Closes it in order, so that `$disconnect` comes."""
        await self._socket.close()

    def cut(self) -> None:
        """Drops the connection without a word, as a train in a tunnel does."""
        self._socket.transport.abort()
