"""An independent client of any WebSocket API: `websockets` and hand-written JSON, nothing of either program."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.frames import CloseCode

Frame = dict[str, Any]
"""A JSON object that came over a socket."""

WAIT_S: Final = 30.0
FRAME_BYTES: Final = 32 * 1024
"""What API Gateway lets pass in one frame."""


@dataclass(frozen=True)
class Client:
    """One open socket. What is not asked for here is asked of `socket` itself."""

    socket: ClientConnection

    async def send(self, action: str, /, **fields: object) -> None:
        """Sends a message to a route."""
        await self.send_raw(json.dumps({"action": action, **fields}))

    async def send_raw(self, data: str | bytes) -> None:
        """Sends a message as it is."""
        await self.socket.send(data)

    async def text(self) -> str:
        """The next message, as it came."""
        message = await asyncio.wait_for(self.socket.recv(), WAIT_S)
        assert isinstance(message, str), "a binary frame"
        return message

    async def receive(self) -> Frame:
        """The next message."""
        message: Frame = json.loads(await self.text())
        return message

    async def ask(self, action: str, /, **fields: object) -> Frame:
        """Sends a message and gives the next one that comes."""
        await self.send(action, **fields)
        return await self.receive()

    async def ask_until(self, agrees: Callable[[Frame], bool], action: str, /, **fields: object) -> Frame:
        """Asks again until the answer is as wanted."""
        async with asyncio.timeout(WAIT_S):
            while True:
                answer = await self.ask(action, **fields)
                if agrees(answer):
                    return answer
                await asyncio.sleep(0.1)

    async def silent(self, for_s: float = 0.3) -> bool:
        """Whether nothing comes for a while."""
        try:
            await asyncio.wait_for(self.socket.recv(), for_s)
        except TimeoutError:
            return True
        return False

    async def frames(self) -> AsyncIterator[tuple[Frame, int]]:
        """Every message and its size in bytes, until the socket is closed."""
        try:
            async for data in self.socket:
                yield json.loads(data), len(data.encode() if isinstance(data, str) else data)
        except ConnectionClosed:
            return

    async def close_code(self) -> int:
        """The code of the server's close frame, once it has come; 1006 if none came. What comes before is dropped."""
        try:
            while True:
                await asyncio.wait_for(self.socket.recv(), WAIT_S)
        except ConnectionClosed as closed:
            return CloseCode.ABNORMAL_CLOSURE if closed.rcvd is None else closed.rcvd.code

    def cut(self) -> None:
        """Drops the connection without a word, as a train in a tunnel does."""
        self.socket.transport.abort()


@dataclass(frozen=True)
class Refusal:
    """How a handshake failed."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def stage(url: str, name: str, /, **query: str) -> str:
    """The WebSocket's address of a stage under an HTTP address."""
    parameters = "&".join(f"{key}={quote(value)}" for key, value in query.items())
    return f"ws{url.removeprefix('http')}/{name}" + (f"?{parameters}" if parameters else "")


@asynccontextmanager
async def opened(address: str, **options: Any) -> AsyncIterator[Client]:
    """A socket, closed in the end. `options` are those of `websockets`."""
    async with connect(address, **{"open_timeout": WAIT_S, **options}) as socket:
        yield Client(socket)


async def refused(address: str, **options: Any) -> Refusal:
    """How a handshake is refused."""
    try:
        async with opened(address, **options):
            raise AssertionError("the connection was accepted")
    except InvalidStatus as error:
        response = error.response
        return Refusal(response.status_code, response.headers, bytes(response.body or b""))
