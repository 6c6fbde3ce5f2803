"""An agent's host in the engine's own loop."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from dayfly.engine.agent_host import GRACE_S
from dayfly.errors import EngineClosed, IllegalTransition

T = TypeVar("T")


class InlineHost:
    """Runs the agent as a task beside the engine, so that both live in virtual time."""

    def __init__(self) -> None:
        self._task: asyncio.Task[None] | None = None
        self._cancelled = False

    def start(self, drive: Callable[[], Coroutine[Any, Any, None]]) -> None:
        if self._task is not None:
            raise IllegalTransition("a host runs one agent, once")
        self._task = asyncio.create_task(drive())
        # As in the host with a thread: the engine may have stopped listening when a stopped agent fails.
        self._task.add_done_callback(lambda done: done.cancelled() or done.exception())

    async def call(self, work: Callable[[], Coroutine[Any, Any, T]]) -> T:
        return await work()

    async def wait(self) -> None:
        assert self._task is not None
        await asyncio.wait((self._task,))
        if self._task.cancelled():
            raise EngineClosed("the agent was cancelled")
        await self._task

    async def stop(self, *, patience_s: float = GRACE_S) -> bool:
        if self._task is None:
            return True
        if not self._cancelled:
            self._cancelled = True
            self._task.cancel()
        _, late = await asyncio.wait((self._task,), timeout=patience_s)
        return not late
