"""Threads for tools that are plain functions: such a call can be abandoned, but never stopped."""

import asyncio
import contextvars
import threading
from collections.abc import Callable
from typing import Final, TypeVar

T = TypeVar("T")

PREFIX: Final = "tool-"


async def run_in_thread(call: Callable[[], T], *, name: str) -> T:
    """Runs `call` in a daemon thread of its own and returns what it returns, or raises what it raises.

    Cancelled, it returns at once and leaves the thread to itself. A thread of its own, not one of a pool: an abandoned
    call then blocks no other, the event loop closes without it, and `running_tool_threads` can tell of it.
    """
    loop = asyncio.get_running_loop()
    done: asyncio.Future[T] = loop.create_future()
    context = contextvars.copy_context()

    def settle(result: T | None, error: BaseException | None) -> None:
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
        if not loop.is_closed():
            loop.call_soon_threadsafe(settle, result, error)

    threading.Thread(target=body, name=f"{PREFIX}{name}", daemon=True).start()
    return await done


def running_tool_threads() -> tuple[str, ...]:
    """The names of tools whose threads still run. After a cancelled run, anything here is a call that could not be
    stopped: the process must not serve another run."""
    return tuple(thread.name.removeprefix(PREFIX) for thread in threading.enumerate() if thread.name.startswith(PREFIX))
