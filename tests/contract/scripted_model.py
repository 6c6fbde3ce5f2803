"""A model server whose answers a test scripts byte by byte, for clients on any event loop or in any process."""

import asyncio
import json
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import Enum
from functools import partial
from typing import Final

from pydantic import JsonValue

from tests.contract.model_server import Answer, ModelServer, Reply, Request, model_server


class Ends(Enum):
    """How a streamed answer ends that is not ended properly."""

    DROPPED = "the connection is closed in the middle of the body"
    STALLED = "nothing more comes until the client closes its side"


Step = bytes | float | Ends
"""What is sent, how many seconds nothing is sent, or how the answer ends before its time."""


@dataclass(frozen=True, slots=True)
class Streamed:
    """An answer in pieces as they are: nothing is added to what the steps say."""

    content_type: str
    steps: tuple[Step, ...]
    headers: dict[str, str] = field(default_factory=dict)

    async def __call__(self, reply: Reply) -> None:
        await reply.begin(self.content_type, **self.headers)
        for step in self.steps:
            match step:
                case bytes():
                    await reply.send(step)
                case float() | int():
                    await asyncio.sleep(step)
                case Ends.DROPPED:
                    raise ConnectionAbortedError
                case Ends.STALLED:
                    await reply.closed()
                    raise ConnectionAbortedError
        await reply.end()


@dataclass(frozen=True, slots=True)
class Whole:
    """An answer in one piece, such as an error; the underscores of a header's name stand for hyphens."""

    status: int
    body: JsonValue | bytes
    headers: dict[str, str] = field(default_factory=dict)
    content_type: str = "application/json"

    async def __call__(self, reply: Reply) -> None:
        body = self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()
        await reply.whole(self.status, self.content_type, body, **self.headers)


class ScriptedModel:
    """A server with a thread of its own. It gives the next of the scripted answers to each request, and keeps the
    requests; one that nothing is scripted for is refused with 418, which no client tries again."""

    def __init__(self, server: ModelServer) -> None:
        self._server = server

    @property
    def url(self) -> str:
        """The server's address, without a path."""
        return self._server.url

    @property
    def requests(self) -> tuple[Request, ...]:
        """The requests since `play`, in their order."""
        return tuple(self._server.requests)

    @property
    def bodies(self) -> tuple[dict[str, JsonValue], ...]:
        """What these requests said."""
        return tuple(request.json() for request in self.requests)

    @property
    def left(self) -> int:
        """How many of the scripted answers nobody has asked for."""
        return len(self._server.answers)

    def play(self, *answers: Answer) -> None:
        """Scripts what is answered from now on, and forgets all before."""
        self._server.requests.clear()
        self._server.answers[:] = answers


UNSCRIPTED: Final = Whole(418, {"error": {"message": "nothing is scripted for this request"}})


@contextmanager
def scripted_model(*answers: Answer) -> Iterator[ScriptedModel]:
    """Serves these answers on a free port of the loopback interface, in a thread that ends with the block."""
    started: Future[tuple[ModelServer, Callable[[], object]]] = Future()

    async def serve() -> None:
        loop, over = asyncio.get_running_loop(), asyncio.Event()
        async with model_server(*answers, otherwise=UNSCRIPTED) as server:
            started.set_result((server, partial(loop.call_soon_threadsafe, over.set)))
            await over.wait()

    thread = threading.Thread(target=asyncio.run, args=(serve(),), name="scripted model")
    thread.start()
    server, end = started.result(10)
    try:
        yield ScriptedModel(server)
    finally:
        end()
        thread.join(10)
