"""An independent client: `websockets` and hand-written JSON. It knows neither program."""

from __future__ import annotations

import asyncio
import json
import urllib.request
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidStatus

Message = dict[str, Any]
WAIT_S = 30.0


@dataclass(frozen=True)
class Client:
    """One open socket."""

    socket: ClientConnection

    async def send(self, action: str, **fields: object) -> None:
        """Sends a message to a route."""
        await self.socket.send(json.dumps({"action": action, **fields}))

    async def send_raw(self, text: str) -> None:
        """Sends a message as it is."""
        await self.socket.send(text)

    async def receive(self) -> Message:
        """The next message."""
        message: Message = json.loads(await asyncio.wait_for(self.socket.recv(), WAIT_S))
        return message

    async def ask(self, action: str, **fields: object) -> Message:
        """Sends a message and gives the next one that comes."""
        await self.send(action, **fields)
        return await self.receive()

    async def ask_until(self, agrees: Callable[[Message], bool], action: str, **fields: object) -> Message:
        """Asks again until the answer is as wanted."""
        async with asyncio.timeout(WAIT_S):
            while True:
                answer = await self.ask(action, **fields)
                if agrees(answer):
                    return answer
                await asyncio.sleep(0.1)

    def kill(self) -> None:
        """Breaks the connection without a word."""
        self.socket.transport.abort()

    async def silent(self, for_s: float = 0.3) -> bool:
        """Whether nothing comes for a while."""
        try:
            await asyncio.wait_for(self.socket.recv(), for_s)
        except TimeoutError:
            return True
        return False


@asynccontextmanager
async def opened(url: str, stage: str, **query: str) -> AsyncIterator[Client]:
    """A socket on a stage of the emulator at `url`, closed in the end."""
    parameters = "&".join(f"{name}={quote(value)}" for name, value in query.items())
    address = f"{url.replace('http://', 'ws://', 1)}/{stage}" + (f"?{parameters}" if parameters else "")
    async with connect(address, open_timeout=WAIT_S) as socket:
        yield Client(socket)


async def refused(url: str, stage: str, **query: str) -> tuple[int, str]:
    """The status and the body with which a connection is refused."""
    try:
        async with opened(url, stage, **query):
            raise AssertionError("the connection was accepted")
    except InvalidStatus as error:
        return error.response.status_code, bytes(error.response.body).decode()


def inject(url: str, **fault: object) -> None:
    """Orders a fault of the emulator."""
    request = urllib.request.Request(
        f"{url}/_emulator/faults", json.dumps(fault).encode(), {"Content-Type": "application/json"}
    )
    urllib.request.urlopen(request, timeout=10).close()
