"""Keeps the run's lease while the engine lives."""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from dayfly.engine.beginning import LEASE_MS
from dayfly.errors import DayflyError, Unsettled
from dayfly.ports.clock import Clock
from dayfly.ports.table import ConditionsFailed, Delete, Matches, Put, Table
from dayfly.runlog.rows import LeaseRow, LeaseState

RENEW_S: Final = 5.0

_log = logging.getLogger("dayfly.engine")


class LeaseKeeper:
    """Renews the lease every 5 s, for 20 s, on condition that it is still this engine's. Never creates one."""

    def __init__(self, table: Table, clock: Clock, lease: LeaseRow, *, nonce: str) -> None:
        self._table = table
        self._clock = clock
        self._lease = replace(lease, state=LeaseState.HELD, nonce=nonce)
        self._mine = Matches(nonce=nonce, first_seq=lease.first_seq, state=LeaseState.HELD)

    async def keep(self, lost: Callable[[], None]) -> None:
        """Renews until cancelled. A failed match means that another has taken over: calls `lost` and returns."""
        while True:
            await asyncio.sleep(RENEW_S)
            try:
                await self._table.write(Put(replace(self._lease, due=self._clock.now_ms() + LEASE_MS), self._mine))
            except ConditionsFailed:
                lost()
                return
            except Unsettled:
                # The next renewal comes well before the lease is due.
                _log.warning("lease not renewed", extra={"run": self._lease.run})

    async def drop(self) -> None:
        """Removes the ended run's lease, after its terminal event was posted. Left over, the sweep removes it."""
        try:
            mine = Matches(nonce=self._lease.nonce, state=LeaseState.ENDED)
            await self._table.write(Delete(self._lease.key, mine))
        except DayflyError as error:  # the end is written and posted: nothing that fails here undoes it
            _log.warning("lease not removed", extra={"run": self._lease.run, "reason": type(error).__name__})
