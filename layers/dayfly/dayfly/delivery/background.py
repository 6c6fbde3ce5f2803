"""Work that a reply does not wait for, such as posting to slow sockets."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from dayfly.errors import PortError

_log = logging.getLogger("dayfly.delivery")

BackgroundTask = Callable[[], Awaitable[None]]
"""Started by calling it; may raise `PortError`."""


class BackgroundTasks:
    """Runs tasks concurrently with an `async with` block and waits for them at its end: no task outlives its handler.

    A task that raises `PortError` is logged and left undone: the table holds what recovery needs to repeat it. If a
    task raises anything else, the block raises an `ExceptionGroup` at its end, or logs the failure if the block itself
    has raised.
    """

    def __init__(self, *, at_once: int | None = None, within_s: float | None = None) -> None:
        """
        Args:
            at_once: How many tasks run at a time; `None`: all.
            within_s: Seconds from now after which the end of the block cancels what still runs; `None`: it waits.
        """
        self._room = asyncio.Semaphore(at_once) if at_once is not None else None
        self._until = asyncio.get_running_loop().time() + within_s if within_s is not None else None
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> "BackgroundTasks":
        return self

    async def __aexit__(self, kind: type[BaseException] | None, *exc_info: object) -> None:
        try:
            if self._tasks and (kind is None or issubclass(kind, Exception)):
                await self._wait()
        finally:
            for task in self._tasks:
                task.cancel()
            results = await asyncio.gather(*self._tasks, return_exceptions=True)
        failures = [result for result in results if isinstance(result, Exception)]
        if failures and kind is None:
            raise ExceptionGroup("background tasks failed", failures)
        for failure in failures:
            _log.error("background task failed", exc_info=failure)

    async def _wait(self) -> None:
        left_s = max(0.0, self._until - asyncio.get_running_loop().time()) if self._until is not None else None
        _, late = await asyncio.wait(self._tasks, timeout=left_s)
        if late:
            _log.warning("background tasks cancelled", extra={"count": len(late)})

    def add(self, task: BackgroundTask) -> None:
        """Starts the task as soon as fewer than `at_once` run."""
        self._tasks.append(asyncio.create_task(self._run(task)))

    async def _run(self, task: BackgroundTask) -> None:
        try:
            if self._room is None:
                await task()
            else:
                async with self._room:
                    await task()
        except PortError as error:
            _log.warning("background task left undone", extra={"reason": str(error)})
