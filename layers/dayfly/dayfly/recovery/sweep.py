"""The sweep: acts on every lease that is due, once a minute."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain, zip_longest
from typing import Final

from dayfly.delivery.background import BackgroundTasks
from dayfly.errors import PortError
from dayfly.metrics import Metric
from dayfly.recovery.actions import RecoveryActions
from dayfly.recovery.deletion import go_on_deleting
from dayfly.runs.state import read_state_by_lease
from dayfly.store.keys import ENDED_SHARDS, FORGETS, LEASE_SHARDS, LEASES, Key
from dayfly.store.rows import ForgetRow

MOST: Final = 1000
"""Leases of one shard that one sweep takes; the next sweep takes the rest."""
AT_ONCE: Final = 16
"""Runs and deletions that are acted on at a time."""
POSTS_AT_ONCE: Final = 12
"""Ends that are posted at a time: fewer than there are threads for posts, so that each has one."""
POSTS_WITHIN_S: Final = 40.0
"""Seconds that a sweep waits for slow sockets. What is left stays due for the next one."""
FAR_MS: Final = 24 * 3600 * 1000
"""How far ahead leases are counted as active runs: further than any is ever due."""

_log = logging.getLogger("dayfly.recovery")


async def sweep(recovery_actions: RecoveryActions) -> int:
    """Acts on every run whose lease is due and every deletion, and counts the active runs.

    The index tells what may be due; the lease, read with strong consistency, decides. If a service does not answer, a
    lease stays due for the next sweep. Ends are posted in the background, so that slow sockets delay no run.

    Returns:
        How many due leases the index named.

    Raises:
        ExceptionGroup: What else has failed, after all leases were acted on.
    """
    ports = recovery_actions.run_writer.ports
    table, now = ports.table, ports.clock.now_ms()
    async with BackgroundTasks(at_once=POSTS_AT_ONCE, within_s=POSTS_WITHIN_S) as background:
        found = await _of_all(LEASE_SHARDS, lambda shard: table.due_leases(shard, before=now, limit=MOST))
        hints = tuple(_in_turn(found.values))
        room = asyncio.Semaphore(AT_ONCE)
        prompt = recovery_actions.in_background(background)

        async def one(key: Key) -> None:
            async with room:
                await _look_after(prompt, key, now=now)

        done = await asyncio.gather(*(one(key) for key in hints), return_exceptions=True)
        ended = await _of_all(ENDED_SHARDS, lambda shard: table.due_leases(shard, before=now, limit=MOST))
        unposted = tuple(_in_turn(ended.values))
        for key in unposted:
            background.add(partial(_look_after, recovery_actions, key, now=now))
        active = await _of_all(LEASE_SHARDS, lambda shard: table.due_leases(shard, before=now + FAR_MS, limit=MOST))
        ports.meter.add(Metric.ACTIVE_RUNS, sum(key.sk.startswith(LEASES) for some in active.values for key in some))
        failures = [*found.failures, *ended.failures, *active.failures]
        failures += [each for each in done if isinstance(each, Exception)]
        if failures:
            raise ExceptionGroup("what could not be looked after", failures)
    return len(hints) + len(unposted)


@dataclass(frozen=True, slots=True)
class _Answers:
    """What the shards of the index answered, and what failed: one shard's failure does not stop the others."""

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


async def _look_after(recovery_actions: RecoveryActions, key: Key, *, now: int) -> None:
    table = recovery_actions.run_writer.ports.table
    try:
        if key.sk.startswith(FORGETS):
            deletion = await table.get(key, ForgetRow)
            if deletion is not None and deletion.due <= now:
                await go_on_deleting(recovery_actions, deletion)
            return
        state = await read_state_by_lease(table, key)
        if state is not None and state.lease is not None and state.lease.due <= now:
            await recovery_actions.look_after(state)
    except PortError as error:
        _log.warning("left for the next sweep", extra={"lease": key.sk, "reason": str(error)})
