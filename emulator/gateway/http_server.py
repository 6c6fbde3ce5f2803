"""A listening port: uvicorn's HTTP protocol around a `Front`.

uvicorn's own server loop is left out: it takes over signals, which belong to the whole program, and polls ten times a
second for reasons to stop.
"""

import asyncio
import socket
import ssl

import uvicorn
from uvicorn.server import ServerState

from emulator.gateway.front import Front
from emulator.gateway.http import NoWebSocket, protocol_class

_GRACE_S = 1.0
_PATIENCE_S = 30.0


class PortBusy(Exception):
    """The address can't be listened on, as a rule since another program does."""


def bind(host: str, port: int) -> socket.socket:
    """A listening socket; port 0 takes a free one. Raises `PortBusy`."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        # Two programs may both bind with SO_REUSEADDR; only listening tells.
        listener.listen(2048)
    except (OSError, OverflowError) as error:
        listener.close()
        raise PortBusy(f"cannot listen on {host}:{port}: {getattr(error, 'strerror', None) or error}") from error
    listener.setblocking(False)
    return listener


class HttpServer:
    """Serves a `Front` on a bound socket, over TLS if a context is given.

    `patience` is how long a client may be silent in the midst of a request, in seconds.
    """

    def __init__(
        self, front: Front, listener: socket.socket, *, tls: ssl.SSLContext | None = None, patience: float = _PATIENCE_S
    ) -> None:
        self._front = front
        self._listener = listener
        self._tls = tls
        self._state = ServerState()
        self._server: asyncio.Server | None = None
        self._config = uvicorn.Config(
            front,
            ws=NoWebSocket,
            lifespan="off",
            log_config=None,
            access_log=False,
            proxy_headers=False,
            server_header=False,
            date_header=False,
            interface="asgi3",
            # AWS's endpoints keep idle connections for longer than uvicorn's 5 s; a new one costs a millisecond.
            timeout_keep_alive=60,
        )
        self._protocol = protocol_class(front.upgrade, patience=patience)

    async def start(self) -> None:
        """Accept connections."""
        self._config.load()
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(self._connection, sock=self._listener, backlog=2048, ssl=self._tls)

    async def stop(self) -> None:
        """Close all sockets, let running requests finish for at most a second, and leave the port."""
        if self._server is None:
            self._listener.close()
            return
        self._server.close()
        await self._front.stop()
        for connection in tuple(self._state.connections):
            connection.shutdown()
        tasks = tuple(self._state.tasks)
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=_GRACE_S)
            for task in late:
                task.cancel()

    def _connection(self) -> asyncio.Protocol:
        return self._protocol(config=self._config, server_state=self._state, app_state={})
