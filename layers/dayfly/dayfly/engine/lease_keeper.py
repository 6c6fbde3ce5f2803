"""Keeps the run's lease while the engine lives."""

import asyncio
import logging
from collections.abc import Callable
from typing import Final

from dayfly.clock import Clock
from dayfly.delivery.bridge import WebSocketBridge
from dayfly.errors import Superseded, Unsettled
from dayfly.runs.begin import Claim, RunFacts
from dayfly.runs.lease import LEASE_MS, held_by, held_lease
from dayfly.store.retry import retry_call
from dayfly.store.table import ConditionsFailed, Matches, Put, Table

RENEW_S: Final = 5.0
"""Seconds between two renewals."""
HOLD_S: Final = 3.0
"""For how many seconds a late renewal is tried before the engine gives up."""

_log = logging.getLogger("dayfly.engine")


class LeaseKeeper:
    """Renews the lease every 5 s, for 20 s, on condition that it is still this engine's. Never creates one."""

    def __init__(
        self, table: Table, clock: Clock, bridge: WebSocketBridge, facts: RunFacts, claim: "asyncio.Future[Claim]"
    ) -> None:
        self._table = table
        self._clock = clock
        self._bridge = bridge
        self._run = facts.run
        self._lease = facts.lease
        self._claim = claim
        self._renewed_at = 0.0

    def is_fresh(self) -> bool:
        """Whether the lease can't have come due yet, by the monotonic clock."""
        since = max(self._renewed_at, self._claim.result().at if self._claim.done() else 0.0)
        return self._clock.monotonic() - since < LEASE_MS / 1000

    async def hold(self) -> None:
        """Returns when the lease is surely this engine's, renewing it first where it may be due. To be awaited before
        anything that another engine may be doing by now: one that was frozen, or could not renew for long, finds out
        here.

        Raises:
            Superseded: Another has taken over.
            Unsettled: That can't be told. The invocation then fails, and its notice has the run resumed at once.
        """
        # Before the attempt has begun there is no lease to lose: its first append claims it, or finds it gone.
        if not self._bridge.opened or self.is_fresh():
            return
        try:
            await retry_call(self._renew, patience_s=HOLD_S)
        except ConditionsFailed as failed:
            raise Superseded("the lease is another's") from failed

    async def keep(self, lost: Callable[[], None]) -> None:
        """Renews until cancelled, once the attempt has begun. A failed match means that another has taken over: calls
        `lost` and returns."""
        while True:
            await asyncio.sleep(RENEW_S)
            if not self._bridge.opened:
                continue
            try:
                await self._renew()
            except ConditionsFailed:
                lost()
                return
            except Unsettled:
                # The next renewal comes well before the lease is due.
                _log.warning("lease not renewed", extra={"run": self._lease.run_id})

    async def _renew(self) -> None:
        asked_at = self._clock.monotonic()
        renewed = held_lease(self._lease, nonce=self._bridge.nonce, now=self._clock.now_ms())
        await self._table.write(Put(renewed, Matches(**held_by(self._run, self._bridge.nonce))))
        self._renewed_at = max(self._renewed_at, asked_at)
