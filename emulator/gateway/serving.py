"""A listening port: uvicorn around a `Front`."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Generator

import uvicorn

from emulator.gateway.front import Front
from emulator.gateway.http import NoWebSocket, protocol_class


class PortBusy(Exception):
    """Another program listens on the port."""


def bind(host: str, port: int) -> socket.socket:
    """A bound socket; port 0 takes a free one. Raises `PortBusy`, and `OSError` for an address that is not ours."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        # Two programs may both bind with SO_REUSEADDR; only listening tells.
        listener.listen(2048)
    except OSError as error:
        listener.close()
        raise PortBusy(f"{host}:{port}: {error.strerror}") from error
    listener.setblocking(False)
    return listener


class _Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """Signals belong to the program, not to one of its servers."""
        yield


class HttpServer:
    """Serves a `Front` on a bound socket."""

    def __init__(self, front: Front, listener: socket.socket) -> None:
        config = uvicorn.Config(
            front,
            http=protocol_class(front.upgrade),
            ws=NoWebSocket,
            lifespan="off",
            log_config=None,
            access_log=False,
            proxy_headers=False,
            server_header=False,
            interface="asgi3",
            # AWS's endpoints keep idle connections for longer than uvicorn's 5 s; a new one costs a millisecond.
            timeout_keep_alive=60,
            timeout_graceful_shutdown=1,
        )
        self._front = front
        self._listener = listener
        self._server = _Server(config)
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Accept connections."""
        self._task = asyncio.get_running_loop().create_task(self._server.serve(sockets=[self._listener]))
        while not self._server.started:
            if self._task.done():
                await self._task
                raise PortBusy("the server did not start")
            await asyncio.sleep(0.005)

    async def stop(self) -> None:
        """Close the sockets, finish what runs for at most a second, and leave the port."""
        await self._front.stop()
        self._server.should_exit = True
        if self._task is not None:
            await self._task
        self._listener.close()
