"""Connections that note when what reached them, and that may be slow."""

import asyncio
import json
from collections import defaultdict
from collections.abc import Callable
from typing import Any

from tests.fakes.ports import MemoryPoster

JsonObject = dict[str, Any]
"""A frame as a client reads it, by a JSON parser and nothing else."""


class Sockets(MemoryPoster):
    """`delays` makes a connection take so many seconds for each frame; `witness` is called at the moment of posting."""

    def __init__(self) -> None:
        super().__init__()
        self.delays: dict[str, float] = {}
        self.times: defaultdict[str, list[float]] = defaultdict(list)
        self.tried: defaultdict[str, int] = defaultdict(int)
        self.witness: Callable[[str, JsonObject], None] | None = None

    async def post(self, connection: str, frame: bytes) -> None:
        self.tried[connection] += 1
        if self.witness is not None:
            self.witness(connection, json.loads(frame))
        if delay := self.delays.get(connection):
            await asyncio.sleep(delay)
        await super().post(connection, frame)
        self.times[connection].append(asyncio.get_running_loop().time())

    def received(self, connection: str, *types: str) -> list[JsonObject]:
        """What reached the connection, in order; only these types, if some are named."""
        frames: list[JsonObject] = [json.loads(frame) for frame in self.frames[connection]]
        return [frame for frame in frames if not types or frame["type"] in types]

    def events(self, connection: str) -> list[JsonObject]:
        """The logged events that reached the connection."""
        return [frame for frame in self.received(connection) if "seq" in frame]

    def types(self, connection: str) -> list[str]:
        """The types of all that reached the connection."""
        return [frame["type"] for frame in self.received(connection)]
