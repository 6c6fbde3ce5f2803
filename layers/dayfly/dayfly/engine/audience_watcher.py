"""Looks at the audience and at cancel marks, independent of what the agent does."""

import asyncio
import logging
from collections.abc import Callable
from typing import Final

from dayfly.delivery.broadcast import Broadcast
from dayfly.errors import DayflyError
from dayfly.protocol.signals import Phase

LOOK_S: Final = 0.5
"""A new socket and a cancel mark are seen within so many seconds, whether the run is silent or not."""

_log = logging.getLogger("dayfly.engine")


class AudienceWatcher:
    """Re-reads one thread's audience; `cancelled` is set once this run is to be cancelled."""

    def __init__(
        self, broadcast: Broadcast, *, run_id: str, phase: Callable[[], Phase], elapsed_ms: Callable[[], int]
    ) -> None:
        self.cancelled = asyncio.Event()
        self._broadcast = broadcast
        self._run_id = run_id
        self.phase = phase
        self._elapsed_ms = elapsed_ms

    async def look(self) -> None:
        """Reads the audience once, and sets `cancelled` if it holds a mark of this run."""
        try:
            audience = await self._broadcast.refresh(phase=self.phase(), elapsed_ms=self._elapsed_ms())
        except DayflyError as error:
            # The next look is due in half a second. Without it neither a cancel nor a new socket would be seen.
            _log.warning("audience not read", extra={"run": self._run_id, "reason": type(error).__name__})
            return
        if self._run_id in audience.cancelled:
            self.cancelled.set()

    async def run(self) -> None:
        """Looks until cancelled."""
        while True:
            await asyncio.sleep(LOOK_S)
            await self.look()
