"""The sweep: takes every lease that is due, once a minute."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain, zip_longest

from dayfly.clock import Clock
from dayfly.delivery.background import BackgroundTasks
from dayfly.errors import PortError
from dayfly.metrics import Meter, Metric
from dayfly.recovery.actions import RecoveryActions
from dayfly.recovery.deletion import go_on_deleting
from dayfly.runs.state import READS_S, standing_of
from dayfly.store.keys import ENDED_SHARDS, FORGETS, LEASE_SHARDS, LEASES, Key
from dayfly.store.retrying_table import RetryingTable
from dayfly.store.rows import ForgetRow
from dayfly.store.table import Table

MOST: int = 1000
"""Leases of one shard that one sweep takes; the next sweep takes the rest."""
AT_ONCE: int = 16
POSTS_AT_ONCE: int = 12
"""Ends that are posted at a time: fewer than there are threads for posts, so that each has one."""
POSTS_WITHIN_S: float = 40.0
"""How long a sweep waits for slow sockets: it comes once a minute. What is left stays due."""
FAR_MS: int = 24 * 3600 * 1000

_log = logging.getLogger("dayfly.recovery")


async def sweep(table: Table, recovery_actions: RecoveryActions, clock: Clock, meter: Meter) -> int:
    """Looks after every run whose lease is due, and every deletion, and says how many. Counts the active runs on the
    way.

    The index hints at what is due; the lease itself, read strongly, decides. A run that cannot be looked after now
    stays due for the next sweep. What has only to be posted comes last, and is posted beside the rest: however many
    sockets take nothing, no run waits for them. What fails otherwise is raised when all others have been looked after.
    """
    table = RetryingTable(table, READS_S)
    now = clock.now_ms()
    async with BackgroundTasks(at_once=POSTS_AT_ONCE, within_s=POSTS_WITHIN_S) as background:
        found = await _of_all(LEASE_SHARDS, lambda shard: table.due_leases(shard, before=now, limit=MOST))
        hints = tuple(_in_turn(found.values))
        room = asyncio.Semaphore(AT_ONCE)
        prompt = recovery_actions.keeping(background)

        async def one(key: Key) -> None:
            async with room:
                await _look_after(table, prompt, key, now=now)

        done = await asyncio.gather(*(one(key) for key in hints), return_exceptions=True)
        ended = await _of_all(ENDED_SHARDS, lambda shard: table.due_leases(shard, before=now, limit=MOST))
        unposted = tuple(_in_turn(ended.values))
        for key in unposted:
            background.add(partial(_look_after, table, recovery_actions, key, now=now))
        active = await _of_all(LEASE_SHARDS, lambda shard: table.due_leases(shard, before=now + FAR_MS, limit=MOST))
        meter.add(Metric.ACTIVE_RUNS, sum(key.sk.startswith(LEASES) for some in active.values for key in some))
        failures = [*found.failures, *ended.failures, *active.failures]
        failures += [each for each in done if isinstance(each, Exception)]
        if failures:
            raise ExceptionGroup("what could not be looked after", failures)
    return len(hints) + len(unposted)


@dataclass(frozen=True, slots=True)
class _Answers:
    """What the shards of the index answered, and what failed: one shard's trouble is not another's."""

    values: tuple[tuple[Key, ...], ...]
    failures: tuple[Exception, ...]


async def _of_all(shards: Sequence[str], read: Callable[[str], Awaitable[tuple[Key, ...]]]) -> _Answers:
    answers = await asyncio.gather(*(read(shard) for shard in shards), return_exceptions=True)
    return _Answers(
        tuple(answer for answer in answers if not isinstance(answer, BaseException)),
        tuple(answer for answer in answers if isinstance(answer, Exception)),
    )


def _in_turn(shards: Sequence[Sequence[Key]]) -> Iterator[Key]:
    """The first of each shard, then the second of each: none is behind all of another."""
    return (key for key in chain.from_iterable(zip_longest(*shards)) if key is not None)


async def _look_after(table: Table, recovery_actions: RecoveryActions, key: Key, *, now: int) -> None:
    try:
        if key.sk.startswith(FORGETS):
            deletion = await table.get(key, ForgetRow)
            if deletion is not None and deletion.due <= now:
                await go_on_deleting(recovery_actions, deletion)
            return
        standing = await standing_of(table, key)
        if standing is not None and standing.lease.due <= now:
            await recovery_actions.look_after(standing)
    except PortError as error:
        _log.warning("left for the next sweep", extra={"lease": key.sk, "reason": str(error)})
