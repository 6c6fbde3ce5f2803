"""What a running tool tells of its progress, on its way to the run's events."""

import asyncio
import contextlib
import threading
from types import TracebackType
from typing import Final

from dayfly.agents.pydantic.event_channel import EventChannel
from dayfly.agents.sdk.protocol import AgentEvent, ToolProgress
from dayfly.agents.sdk.tool_context import ToolCallOver
from dayfly.text import sanitize

PAUSE_S: Final = 0.25
"""Seconds between two progress events of one call, at least: each is written to the run's log."""


class CallProgress:
    """The progress of one call, from its beginning to its end (`async with`). It is told from whatever thread the tool
    runs in, never waits, and holds one message: of several within `PAUSE_S`, the newest is an event."""

    def __init__(self, tool_call_id: str, events: EventChannel[AgentEvent]) -> None:
        self._call_id = tool_call_id
        self._events = events
        self._lock = threading.Lock()
        self._newest: str | None = None
        self._over = False
        self._told = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._sender: asyncio.Task[None] | None = None

    async def __aenter__(self) -> "CallProgress":
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        with self._lock:
            self._over = True
        if self._sender is not None:
            self._sender.cancel()
            await asyncio.wait({self._sender})

    def tell(self, message: str) -> None:
        """Takes a message, from any thread.

        Raises:
            TypeError: It is no text.
            ToolCallOver: The call has ended.
        """
        if not isinstance(message, str):
            raise TypeError(f"progress is a text, not {type(message).__name__}")
        with self._lock:
            if self._over:
                raise ToolCallOver("This tool call has ended: its time was up, or it has returned.")
            waiting, self._newest = self._newest is not None, sanitize(message)
        if not waiting:
            with contextlib.suppress(RuntimeError):  # the loop has closed: the run is over, and nobody is told
                self._loop.call_soon_threadsafe(self._wake)

    def _wake(self) -> None:
        self._told.set()
        if self._sender is None and not self._over:
            self._sender = asyncio.create_task(self._send(), name="progress")

    async def _send(self) -> None:
        while True:
            await self._told.wait()
            self._told.clear()
            with self._lock:
                message, self._newest = self._newest, None
            if message is not None:
                await self._events.give(ToolProgress(self._call_id, message))
                await asyncio.sleep(PAUSE_S)
