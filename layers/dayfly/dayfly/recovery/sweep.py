"""The sweep: takes every lease that is due, once a minute."""

import asyncio
import logging
from collections.abc import Sequence

from dayfly.errors import PortError
from dayfly.ports.clock import Clock
from dayfly.ports.meter import Meter, Metric
from dayfly.ports.table import Table
from dayfly.recovery.caretaker import Caretaker
from dayfly.recovery.standing import standing_of
from dayfly.runlog.keys import Key

MOST: int = 200
"""Leases of one shard that one sweep takes; the next sweep takes the rest."""
AT_ONCE: int = 8
FAR_MS: int = 24 * 3600 * 1000

_log = logging.getLogger("dayfly.recovery")


async def sweep(table: Table, caretaker: Caretaker, clock: Clock, meter: Meter, *, shards: Sequence[str]) -> int:
    """Looks after every run whose lease is due, and says how many. Counts the active runs on the way.

    The index hints at what is due; the lease itself, read strongly, decides. A run that cannot be looked after now
    stays due for the next sweep. What fails otherwise is raised when all others have been looked after.
    """
    now = clock.now_ms()
    hints: list[Key] = []
    active = 0
    for shard in shards:
        active += len(await table.due_leases(shard, before=now + FAR_MS, limit=MOST * 5))
        hints.extend(await table.due_leases(shard, before=now, limit=MOST))
    meter.add(Metric.ACTIVE_RUNS, active)
    room = asyncio.Semaphore(AT_ONCE)

    async def one(key: Key) -> None:
        async with room:
            await _look_after(table, caretaker, key, now=now)

    outcomes = await asyncio.gather(*(one(key) for key in hints), return_exceptions=True)
    failures = [outcome for outcome in outcomes if isinstance(outcome, Exception)]
    if failures:
        raise ExceptionGroup("runs that could not be looked after", failures)
    return len(hints)


async def _look_after(table: Table, caretaker: Caretaker, key: Key, *, now: int) -> None:
    try:
        standing = await standing_of(table, key)
        if standing is not None and standing.lease.due <= now:
            await caretaker.look_after(standing)
    except PortError as error:
        _log.warning("left for the next sweep", extra={"lease": key.sk, "reason": str(error)})
