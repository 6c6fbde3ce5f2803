"""What is written still has to be told, and slow sockets take their time: nothing else waits for that."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from dayfly.errors import PortError

_log = logging.getLogger("dayfly.delivery")

BackgroundTask = Callable[[], Awaitable[None]]


class BackgroundTasks:
    """Runs errands beside whatever their block does, and waits for them at its end, since nothing may outlive a
    handler. Use as an async context manager.

    An errand that a service refuses is left undone: who sees to it again is written in the table. Any other failure is
    raised at the end of the block.
    """

    def __init__(self, *, at_once: int | None = None, within_s: float | None = None) -> None:
        """At most `at_once` run at a time; what is not done `within_s` seconds from now is broken off."""
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
            raise ExceptionGroup("errands that failed", failures)
        for failure in failures:
            _log.error("errand failed", exc_info=failure)

    async def _wait(self) -> None:
        left_s = max(0.0, self._until - asyncio.get_running_loop().time()) if self._until is not None else None
        _, late = await asyncio.wait(self._tasks, timeout=left_s)
        if late:
            _log.warning("errands broken off", extra={"count": len(late)})

    def add(self, errand: BackgroundTask) -> None:
        """Begins the errand, as soon as there is room for it."""
        self._tasks.append(asyncio.create_task(self._run(errand)))

    async def _run(self, errand: BackgroundTask) -> None:
        try:
            if self._room is None:
                await errand()
            else:
                async with self._room:
                    await errand()
        except PortError as error:
            _log.warning("left undone", extra={"reason": str(error)})
