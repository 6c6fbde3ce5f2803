"""One open WebSocket connection as API Gateway sees it: who it is, how long it lasts, what it is told."""

import asyncio
import time
from collections.abc import Callable, Mapping
from enum import Enum, auto

from websockets.frames import CloseCode

from emulator.gateway.events import ConnectionFacts
from emulator.gateway.handshake import Handshake
from emulator.gateway.limits import Limits
from emulator.gateway.message_queue import MessageQueue, Spawn
from emulator.gateway.socket import Socket


class State(Enum):
    """Where a connection is; it only ever moves forward."""

    CONNECTING = auto()
    OPEN = auto()
    GONE = auto()


class Connection:
    """Listens to its socket, closes it at the idle and duration limits, and reports messages and the end upwards."""

    def __init__(
        self,
        facts: ConnectionFacts,
        handshake: Handshake,
        authorizer: Mapping[str, object] | None,
        *,
        socket: Socket,
        limits: Limits,
        on_message: "Callable[[Connection, str], None]",
        on_gone: "Callable[[Connection, int, str], None]",
        spawn: Spawn,
    ) -> None:
        self.facts = facts
        self.handshake = handshake
        self.authorizer = authorizer
        self.state = State.CONNECTING
        self.last_active = self._opened_at = time.time()
        self._socket = socket
        self._limits = limits
        self._on_message = on_message
        self._on_gone = on_gone
        self.queue = MessageQueue(limit=limits.socket_calls, spawn=spawn, hold=socket.hold)
        self._idle: asyncio.TimerHandle | None = None
        self._duration: asyncio.TimerHandle | None = None

    @property
    def id(self) -> str:
        """The connection id."""
        return self.facts.connection_id

    @property
    def congested(self) -> bool:
        """Whether the client is so slow that nothing more may be queued."""
        return self._socket.congested

    def opened(self) -> None:
        """The handshake is about to complete: the clocks start."""
        self.state = State.OPEN
        self.last_active = self._opened_at = time.time()
        self._start_clocks()

    def limit(self, limits: Limits) -> None:
        """Keep other limits from now on; what is over them already is closed soon."""
        self._limits = limits
        self._socket.limit(limits)
        self.queue.limit = limits.socket_calls
        if self.state is State.OPEN:
            self._stop_clocks()
            self._start_clocks()

    def post(self, data: bytes) -> None:
        """Send one message of the application; it counts as activity."""
        self.last_active = time.time()
        self._socket.send(data)

    def close(self, code: int, reason: str) -> None:
        """Close from the server's side."""
        self._socket.close(code, reason)

    def end(self) -> None:
        """Close without waiting for the client's close frame."""
        self._socket.close(CloseCode.SERVICE_RESTART, "")
        self._socket.end()

    def received(self, text: str) -> None:
        """A message of the client came. Pings do not count: only messages keep a connection from being idle."""
        self.last_active = time.time()
        self._on_message(self, text)

    def closed(self, code: int, reason: str) -> None:
        """The socket is over."""
        self.state = State.GONE
        self._stop_clocks()
        self._on_gone(self, code, reason)

    def _start_clocks(self) -> None:
        loop, now = asyncio.get_running_loop(), time.time()
        idle, lasts = self._limits.idle_timeout, self._limits.connection_duration
        self._idle = loop.call_later(max(0.0, self.last_active + idle - now), self._check_idle)
        self._duration = loop.call_later(max(0.0, self._opened_at + lasts - now), self._going_away)

    def _stop_clocks(self) -> None:
        for timer in (self._idle, self._duration):
            if timer is not None:
                timer.cancel()

    def _check_idle(self) -> None:
        remaining = self.last_active + self._limits.idle_timeout - time.time()
        if remaining > 0:
            self._idle = asyncio.get_running_loop().call_later(remaining, self._check_idle)
        else:
            self._going_away()

    def _going_away(self) -> None:
        self.close(CloseCode.GOING_AWAY, "Going away")
