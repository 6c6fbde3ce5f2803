"""A chat client with a stopwatch: hand-written JSON, knowing neither program."""

import asyncio
import itertools
import json
import time
import urllib.request
from collections.abc import Collection
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Subprotocol

WAIT_S = 60.0
TERMINAL = frozenset({"agent_completed", "agent_error", "agent_cancelled"})
_ids = itertools.count(1)


def token_for(url: str, user: str) -> str:
    """A token of the development issuer."""
    with urllib.request.urlopen(f"{url}/token?user={user}", timeout=10) as answer:
        token: str = json.load(answer)["token"]
    return token


@dataclass(slots=True)
class Exchange:
    """What came back for one `run`: seconds from the frame to the first frame of each type, and all sizes in bytes."""

    first: dict[str, float] = field(default_factory=dict)
    received: list[int] = field(default_factory=list)
    sent: int = 0
    seconds: float = 0.0
    last: dict[str, Any] = field(default_factory=dict)


class Socket:
    """One open socket. `token` is left out where there is no authorizer."""

    def __init__(self, url: str, *, token: str | None = None) -> None:
        self._address = url.replace("http://", "ws://") + "/live"
        self._offers = None if token is None else [Subprotocol("dayfly.v1"), Subprotocol(f"bearer.{token}")]
        self._socket: ClientConnection | None = None

    async def __aenter__(self) -> Self:
        self._socket = await connect(self._address, subprotocols=self._offers, compression=None)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._socket is not None:
            await self._socket.close()

    async def run(self, text: str, *, until: Collection[str] = TERMINAL, **fields: str) -> Exchange:
        """Sends a `run` and reads until a frame of one of these types. Raises `RuntimeError` for an `error` frame, and
        `TimeoutError`."""
        assert self._socket is not None  # entered
        frame = json.dumps({"action": "run", "id": f"b{next(_ids)}", "text": text, **fields})
        exchange = Exchange(sent=len(frame))
        began = time.perf_counter()
        await self._socket.send(frame)
        async with asyncio.timeout(WAIT_S):
            while exchange.last.get("type") not in until or "accepted" not in exchange.first:
                data = await self._socket.recv()
                exchange.seconds = time.perf_counter() - began
                frame_in: dict[str, Any] = json.loads(data)
                if frame_in["type"] in {"error", "agent_error"}:
                    raise RuntimeError(f"the run failed: {frame_in}")
                exchange.received.append(len(data.encode() if isinstance(data, str) else data))
                exchange.first.setdefault(frame_in["type"], exchange.seconds)
                exchange.last = frame_in
        return exchange

    async def comes(self, kind: str) -> float:
        """Reads on to the next frame of this type; says when it was there, as the performance counter reads. Raises
        `TimeoutError`."""
        assert self._socket is not None  # entered
        async with asyncio.timeout(WAIT_S):
            while json.loads(await self._socket.recv())["type"] != kind:
                pass
        return time.perf_counter()
