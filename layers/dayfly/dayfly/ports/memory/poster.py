"""A poster whose connections are lists."""

import asyncio
from collections import defaultdict

from dayfly.errors import Gone


class MemoryPoster:
    """Records the frames of each connection in `frames`. A connection in `gone` has left; `refuse` maps a connection to
    the error that posting to it raises."""

    def __init__(self) -> None:
        self.frames: defaultdict[str, list[bytes]] = defaultdict(list)
        self.gone: set[str] = set()
        self.refuse: dict[str, Exception] = {}

    async def post(self, connection: str, frame: bytes) -> None:
        await asyncio.sleep(0)  # a real post gives way to others too
        if connection in self.gone:
            raise Gone(f"connection {connection} is gone")
        if connection in self.refuse:
            raise self.refuse[connection]
        self.frames[connection].append(frame)
