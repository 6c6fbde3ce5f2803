"""Threads for tools that are plain functions: such a call can be abandoned, but never stopped."""

import asyncio
import contextvars
import threading
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


class ToolThread(threading.Thread):
    """The thread of one call. It knows the event loop, and so the run, that the call belongs to."""

    def __init__(self, body: Callable[[], None], *, tool: str, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(target=body, name=f"tool-{tool}", daemon=True)
        self.tool = tool
        self.loop = loop


async def run_in_thread(call: Callable[[], T], *, name: str) -> T:
    """Runs `call` in a daemon thread of its own and returns what it returns, or raises what it raises.

    If it is cancelled, it returns at once and abandons the thread. A thread of its own, not one of a pool: an abandoned
    call then blocks no other, the event loop closes without it, and `running_tool_threads` names it.

    Args:
        call: A plain function, its arguments bound.
        name: The tool's.
    """
    loop = asyncio.get_running_loop()
    done: asyncio.Future[T] = loop.create_future()
    context = contextvars.copy_context()

    def set_outcome(result: T | None, error: BaseException | None) -> None:
        if done.cancelled():
            return
        if error is not None:
            done.set_exception(error)
        else:
            done.set_result(result)  # type: ignore[arg-type]  # without an error it is a T

    def body() -> None:
        result, error = None, None
        try:
            result = context.run(call)
        except BaseException as raised:  # noqa: BLE001  # it goes on to the caller, whatever it is
            # A future refuses StopIteration, as it would end the awaiting generator in silence (PEP 479).
            error = RuntimeError("the tool raised StopIteration") if isinstance(raised, StopIteration) else raised
        try:
            loop.call_soon_threadsafe(set_outcome, result, error)
        except RuntimeError:
            if not loop.is_closed():  # it is closed where the run is over: nobody waits any more
                raise

    ToolThread(body, tool=name, loop=loop).start()
    return await done


def running_tool_threads(loop: asyncio.AbstractEventLoop | None = None) -> tuple[str, ...]:
    """The names of tools whose threads still run: those of one run's event loop, or all of the process. After a
    cancelled run, anything here is a call that could not be stopped: the process must not serve another run."""
    return tuple(
        thread.tool
        for thread in threading.enumerate()
        if isinstance(thread, ToolThread) and (loop is None or thread.loop is loop)
    )
