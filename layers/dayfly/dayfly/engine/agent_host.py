"""Where an agent runs: an event loop of its own, so that a tool that blocks stalls nothing but itself."""

import asyncio
import functools
import threading
import time
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from typing import Any, Final, Protocol, TypeVar, runtime_checkable

from dayfly.agents.tool_threads import ToolThread, running_tool_threads
from dayfly.errors import EngineClosed, IllegalTransition

GRACE_S: Final = 0.25
"""How long a cancelled agent may take to stop before its run goes on without it: the user waits for the end, which is
promised within a second. Up to half of that goes by until the mark is seen, and a tool that never yields slows down the
writing and posting of the end."""
LAST_GRACE_S: Final = 1.0
"""How long it may take once the end was posted, before it is given up and the process with it."""

T = TypeVar("T")


@runtime_checkable
class AgentHost(Protocol):
    """Runs one agent, once, and can be made to stop."""

    def start(self, drive: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Starts the agent's coroutine, made by calling `drive` where it will run."""

    async def call(self, work: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """For the agent's side: runs `work` on the engine's loop and returns what it returns."""

    async def wait(self) -> None:
        """For the engine's side: returns when the agent has ended; raises what it raised."""

    async def stop(self, *, patience_s: float = GRACE_S) -> bool:
        """For the engine's side: cancels the agent, once, and says whether it has stopped within so many seconds."""


class AgentThread(threading.Thread):
    """The thread of one agent."""

    def __init__(self, main: Callable[[], None]) -> None:
        # A daemon: a tool that cannot be stopped must not keep the process from ending.
        super().__init__(target=main, name="agent", daemon=True)


def threads_left(*, patience_s: float = 0.1) -> tuple[str, ...]:
    """The names of all agents' and tools' threads that run in this process; once a run is over there must be none.

    Args:
        patience_s: For how many seconds at most the threads are waited for: one that has given its result only has to
            return.
    """
    until = time.monotonic() + patience_s
    threads = [thread for thread in threading.enumerate() if isinstance(thread, AgentThread | ToolThread)]
    for thread in threads:
        thread.join(max(0.0, until - time.monotonic()))
    return tuple(thread.name for thread in threads if thread.is_alive())


class ThreadHost:
    """An agent in a thread with an event loop of its own."""

    def __init__(self) -> None:
        self._engine_loop = asyncio.get_running_loop()
        self._ended: asyncio.Future[None] = self._engine_loop.create_future()
        self._ready = threading.Event()
        self._agent_loop: asyncio.AbstractEventLoop | None = None
        self._task: asyncio.Task[None] | None = None
        self._thread: threading.Thread | None = None
        self._cancelled = False

    def start(self, drive: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Starts the thread."""
        if self._thread is not None:
            raise IllegalTransition("a host runs one agent, once")
        self._thread = AgentThread(functools.partial(self._main, drive))
        self._thread.start()

    async def call(self, work: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """Crosses to the engine's loop and back."""
        crossed: Future[T] = asyncio.run_coroutine_threadsafe(work(), self._engine_loop)
        return await asyncio.wrap_future(crossed)

    async def wait(self) -> None:
        """The agent's end, or its error."""
        await asyncio.shield(self._ended)

    async def stop(self, *, patience_s: float = GRACE_S) -> bool:
        """Cancels the agent's task from outside its loop."""
        if self._thread is None:
            return True
        until = self._engine_loop.time() + patience_s
        if not self._cancelled:
            # The thread sets `ready` as the first thing its loop does.
            await asyncio.to_thread(self._ready.wait, patience_s)
            self._cancel()
        return await self._joined(self._thread, until)

    def _cancel(self) -> None:
        if self._agent_loop is None or self._task is None or self._agent_loop.is_closed():
            return
        self._cancelled = True
        try:
            self._agent_loop.call_soon_threadsafe(self._task.cancel)
        except RuntimeError as error:
            if not self._agent_loop.is_closed():
                raise EngineClosed("the agent's loop refused the cancellation") from error

    async def _joined(self, thread: threading.Thread, until: float) -> bool:
        await asyncio.wait((self._ended,), timeout=until - self._engine_loop.time())
        if self._ended.done():
            # The coroutine is over; the loop closes and the thread ends at once unless a worker of it still blocks.
            await asyncio.to_thread(thread.join, max(0.0, until - self._engine_loop.time()))
        return not thread.is_alive() and not running_tool_threads(self._agent_loop)

    def _main(self, drive: Callable[[], Coroutine[Any, Any, None]]) -> None:
        error: BaseException | None = None
        try:
            asyncio.run(self._drive(drive))
        except BaseException as raised:  # noqa: BLE001  the thread's outermost boundary: handed to the engine
            error = raised
        self._engine_loop.call_soon_threadsafe(self._finish, error)

    async def _drive(self, drive: Callable[[], Coroutine[Any, Any, None]]) -> None:
        self._agent_loop = asyncio.get_running_loop()
        self._task = asyncio.current_task()
        self._ready.set()
        await drive()

    def _finish(self, error: BaseException | None) -> None:
        if self._ended.done():
            return
        if error is None:
            self._ended.set_result(None)
        elif isinstance(error, asyncio.CancelledError):
            self._set(EngineClosed("the agent was cancelled"))
        else:
            self._set(error)

    def _set(self, error: BaseException) -> None:
        self._ended.set_exception(error)
        self._ended.exception()  # marks it as seen: the engine may have stopped listening
