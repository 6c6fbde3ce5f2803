"""Keeps the run's lease while the engine lives."""

import asyncio
import logging
from collections.abc import Callable
from typing import Final

from dayfly.engine.beginning import Beginning
from dayfly.errors import Unsettled
from dayfly.ports.clock import Clock
from dayfly.ports.table import ConditionsFailed, Matches, Put, Table
from dayfly.publisher.bridge import WebSocketBridge
from dayfly.runlog.leasing import LEASE_MS, held_by, held_lease
from dayfly.runlog.rows import LeaseRow, RunRow

RENEW_S: Final = 5.0

_log = logging.getLogger("dayfly.engine")


class LeaseKeeper:
    """Renews the lease every 5 s, for 20 s, on condition that it is still this engine's. Never creates one."""

    def __init__(
        self, table: Table, clock: Clock, bridge: WebSocketBridge, beginning: Beginning, *, run: RunRow, lease: LeaseRow
    ) -> None:
        self._table = table
        self._clock = clock
        self._bridge = bridge
        self._beginning = beginning
        self._run = run
        self._lease = lease
        self._renewed_at = 0.0

    def is_fresh(self) -> bool:
        """Whether the lease can't have come due yet, by this machine's own clock that never goes back: an engine that
        was frozen finds out here, before it does anything that another may be doing by now."""
        since = max(self._renewed_at, self._beginning.claimed_at)
        return self._clock.monotonic() - since < LEASE_MS / 1000

    async def keep(self, lost: Callable[[], None]) -> None:
        """Renews until cancelled, once the attempt has begun. A failed match means that another has taken over: calls
        `lost` and returns."""
        mine = Matches(**held_by(self._run, self._bridge.nonce))
        while True:
            await asyncio.sleep(RENEW_S)
            if not self._bridge.opened:
                continue
            asked_at = self._clock.monotonic()
            renewed = held_lease(self._lease, nonce=self._bridge.nonce, now=self._clock.now_ms())
            try:
                await self._table.write(Put(renewed, mine))
            except ConditionsFailed:
                lost()
                return
            except Unsettled:
                # The next renewal comes well before the lease is due.
                _log.warning("lease not renewed", extra={"run": self._lease.run})
            else:
                self._renewed_at = asked_at
