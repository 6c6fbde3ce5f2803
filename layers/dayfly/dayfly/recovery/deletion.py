"""Deleting a forgotten thread, a part at a time, until nothing of it is left."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from typing import Final

from dayfly.errors import CouldNotStart
from dayfly.ports.table import ConditionsFailed, Delete, Matches, Put, Span
from dayfly.publisher.closing import cancel_queued
from dayfly.publisher.outside import Outside
from dayfly.publisher.settle import settle
from dayfly.recovery.caretaker import Caretaker
from dayfly.recovery.standing import standing_of
from dayfly.runlog import keys
from dayfly.runlog.keys import Key
from dayfly.runlog.rows import ForgetRow, LeaseState, RunRow, ThreadRow, ThreadState

QUIET_MS: Final = 17 * 60 * 1000
"""How long after its last end a thread is left: no invocation of it can live any more (15 minutes, after at most one in
Lambda's queue)."""
LOOK_AGAIN_MS: Final = 60_000
MOST_ROWS: Final = 2_000
"""Rows that one sweep deletes of one thread; the next one goes on."""
PAGE: Final = 200
AT_ONCE: Final = 16

_Together = tuple[Key, ...]
"""Keys of rows that go at once."""


async def go_on_deleting(caretaker: Caretaker, deletion: ForgetRow) -> None:
    """Ends what still waits in the thread, in its queue, for an engine or for its user (whoever forgot it may have died
    before), and deletes what is there once it was quiet for long enough; repeatable at every point, because the rows
    that lead to others go last. Raises `Unsettled`."""
    outside = caretaker.outside
    key = keys.thread_key(deletion.user, deletion.thread)
    thread = await outside.table.get(key, ThreadRow)
    if thread is None or thread.state != ThreadState.FORGOTTEN:
        await settle(outside.table, Delete(deletion.key))
        return
    if thread.queue:
        await cancel_queued(outside, thread)
    if thread.active_run is not None:
        await _end_if_idle(caretaker, keys.lease_key(thread.user, thread.active_run))
    now = outside.clock.now_ms()
    if thread.active_run is not None or thread.queue:
        await _look_again(outside, deletion, at=now + LOOK_AGAIN_MS)
        return
    quiet_at = max(deletion.at, thread.updated) + QUIET_MS
    if now < quiet_at:
        await _look_again(outside, deletion, at=quiet_at)
        return
    rows = 0
    async for found in _all_rows(outside, thread):
        await _delete(outside, found)
        rows += sum(map(len, found))
        if rows >= MOST_ROWS:
            await _look_again(outside, deletion, at=now + LOOK_AGAIN_MS)
            return
    await settle(outside.table, Delete(key), Delete(deletion.key))


async def _end_if_idle(caretaker: Caretaker, lease: Key) -> None:
    """An engine that is at work sees the run's cancel mark itself, and a lost one has a lease that comes due."""
    standing = await standing_of(caretaker.outside.table, lease)
    if standing is not None and (standing.waits_for_engine or standing.lease.state == LeaseState.APPROVAL):
        await caretaker.end(standing, CouldNotStart("The thread was forgotten."))


async def _look_again(outside: Outside, deletion: ForgetRow, *, at: int) -> None:
    try:
        await settle(outside.table, Put(replace(deletion, due=at), Matches(due=deletion.due)))
    except ConditionsFailed:
        return  # another sweep has seen to it


async def _all_rows(outside: Outside, thread: ThreadRow) -> AsyncIterator[Sequence[_Together]]:
    """The keys of all that belongs to the thread besides its own row, in an order in which they can be deleted."""
    runs = Span.prefix(keys.user_partition(thread.user), keys.run_prefix(thread.thread))
    while rows := await outside.table.query(runs, RunRow, limit=PAGE):
        for row in rows:
            for prefix in (keys.log_prefix(row.run), keys.part_prefix(keys.log_prefix(row.run))):
                async for found in _rows_under(outside, thread.user, prefix):
                    yield found
            # Nothing but the run's row leads to its lease: one without the other would be left behind.
            yield [(keys.lease_key(row.user, row.run), row.key)]
    for prefix in (
        keys.part_prefix(keys.history_prefix(thread.thread)),
        keys.history_prefix(thread.thread),
        keys.live_prefix(thread.thread),
    ):
        async for found in _rows_under(outside, thread.user, prefix):
            yield found


async def _rows_under(outside: Outside, user: str, prefix: str) -> AsyncIterator[Sequence[_Together]]:
    """The keys under a prefix, page by page: what was given is deleted before the next page is read."""
    span = Span.prefix(keys.user_partition(user), prefix)
    while rows := await outside.table.query_live(span, limit=PAGE):
        yield [(row.key,) for row in rows]


async def _delete(outside: Outside, found: Sequence[_Together]) -> None:
    """Deletes each group in one transaction, several at once. Raises `Unsettled` where one could not be deleted, and
    then tries none any more."""
    for start in range(0, len(found), AT_ONCE):
        some = found[start : start + AT_ONCE]
        deleted = await asyncio.gather(
            *(settle(outside.table, *map(Delete, keys_of)) for keys_of in some), return_exceptions=True
        )
        for failed in deleted:
            if failed is not None:
                raise failed
