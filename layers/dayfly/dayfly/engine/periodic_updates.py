"""Heartbeats while a model or a tool is silent."""

import asyncio
from collections.abc import Callable
from typing import Final

HEARTBEAT_S: Final = 5.0
"""A client hears something from a running run at least every so many seconds."""
_LOOK_S: Final = 0.5


class PeriodicUpdateManager:
    """Calls `beat` whenever nothing has come for `every_s` seconds; belongs to one run."""

    def __init__(self, *, every_s: float = HEARTBEAT_S) -> None:
        self._every_s = every_s

    async def run(
        self, *, silent_since: Callable[[], float], now: Callable[[], float], beat: Callable[[], None]
    ) -> None:
        """Runs until cancelled.

        Args:
            silent_since: Gives the monotonic time of the last event, in seconds.
            now: The same clock.
            beat: Sends one heartbeat.
        """
        last_beat = now()
        while True:
            since = max(silent_since(), last_beat)
            wait = since + self._every_s - now()
            if wait <= 0:
                beat()
                last_beat = now()
                wait = self._every_s
            await asyncio.sleep(min(wait, max(_LOOK_S, self._every_s / 10)))
