"""Deleting a forgotten thread, a bounded number of rows in each sweep."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from typing import Final

from dayfly.errors import CouldNotStart
from dayfly.recovery.actions import RecoveryActions
from dayfly.runs.end import cancel_queued
from dayfly.runs.state import AwaitingApproval, AwaitingEngine, read_state_by_lease
from dayfly.runs.writer import RunWriter
from dayfly.store import keys
from dayfly.store.keys import Key
from dayfly.store.retry import retry_write
from dayfly.store.rows import ForgetRow, RunRow, ThreadRow, ThreadState
from dayfly.store.table import ConditionsFailed, Delete, Matches, Put, Span

QUIET_MS: Final = 17 * 60 * 1000
"""Milliseconds from a thread's last end to its deletion: after that no invocation for it can run (15 minutes, after at
most one in Lambda's queue)."""
LOOK_AGAIN_MS: Final = 60_000
MOST_ROWS: Final = 2_000
"""Rows that one sweep deletes of one thread; the next sweep deletes more."""
PAGE: Final = 200
AT_ONCE: Final = 16

_Together = tuple[Key, ...]
"""Keys of rows that go at once."""


async def go_on_deleting(recovery_actions: RecoveryActions, deletion: ForgetRow) -> None:
    """Ends the thread's runs that wait, in the queue, for an engine or for their user (the router may have died before
    it did), then deletes the thread's rows once `QUIET_MS` have passed since its last end. Can be repeated after a
    failure at any point: rows by which others are found are deleted last. Raises `Unsettled`."""
    run_writer = recovery_actions.run_writer
    key = keys.thread_key(deletion.user_id, deletion.thread_id)
    thread = await run_writer.ports.table.get(key, ThreadRow)
    if thread is None or thread.state != ThreadState.FORGOTTEN:
        await retry_write(run_writer.ports.table, Delete(deletion.key))
        return
    if thread.queue:
        await cancel_queued(run_writer, thread)
    if thread.active_run is not None:
        await _end_if_waiting(recovery_actions, keys.lease_key(thread.user_id, thread.active_run))
    now = run_writer.ports.clock.now_ms()
    if thread.active_run is not None or thread.queue:
        await _look_again(run_writer, deletion, at=now + LOOK_AGAIN_MS)
        return
    quiet_at = max(deletion.at, thread.updated) + QUIET_MS
    if now < quiet_at:
        await _look_again(run_writer, deletion, at=quiet_at)
        return
    rows = 0
    async for found in _all_rows(run_writer, thread):
        await _delete(run_writer, found)
        rows += sum(map(len, found))
        if rows >= MOST_ROWS:
            await _look_again(run_writer, deletion, at=now + LOOK_AGAIN_MS)
            return
    await retry_write(run_writer.ports.table, Delete(key), Delete(deletion.key))


async def _end_if_waiting(recovery_actions: RecoveryActions, lease: Key) -> None:
    """Ends the active run if it waits for an engine or for its user: a working engine reads the cancel mark itself,
    and the lease of a lost one comes due."""
    state = await read_state_by_lease(recovery_actions.run_writer.ports.table, lease)
    if isinstance(state, AwaitingEngine | AwaitingApproval):
        await recovery_actions.end(state, CouldNotStart("The thread was forgotten."))


async def _look_again(run_writer: RunWriter, deletion: ForgetRow, *, at: int) -> None:
    try:
        await retry_write(run_writer.ports.table, Put(replace(deletion, due=at), Matches(due=deletion.due)))
    except ConditionsFailed:
        return  # another sweep has seen to it


async def _all_rows(run_writer: RunWriter, thread: ThreadRow) -> AsyncIterator[Sequence[_Together]]:
    """The keys of all that belongs to the thread besides its own row, in an order in which they can be deleted."""
    runs = Span.prefix(keys.user_partition(thread.user_id), keys.run_prefix(thread.thread_id))
    while rows := await run_writer.ports.table.query(runs, RunRow, limit=PAGE):
        for row in rows:
            for prefix in (keys.log_prefix(row.run_id), keys.part_prefix(keys.log_prefix(row.run_id))):
                async for found in _rows_under(run_writer, thread.user_id, prefix):
                    yield found
            # Nothing but the run's row leads to its lease: one without the other would be left behind.
            yield [(keys.lease_key(row.user_id, row.run_id), row.key)]
    for prefix in (
        keys.part_prefix(keys.history_prefix(thread.thread_id)),
        keys.history_prefix(thread.thread_id),
        keys.live_prefix(thread.thread_id),
    ):
        async for found in _rows_under(run_writer, thread.user_id, prefix):
            yield found


async def _rows_under(run_writer: RunWriter, user_id: str, prefix: str) -> AsyncIterator[Sequence[_Together]]:
    """The keys under a prefix, page by page: what was given is deleted before the next page is read."""
    span = Span.prefix(keys.user_partition(user_id), prefix)
    while rows := await run_writer.ports.table.query_live(span, limit=PAGE):
        yield [(row.key,) for row in rows]


async def _delete(run_writer: RunWriter, found: Sequence[_Together]) -> None:
    """Deletes each group in one transaction, several at once. Raises `Unsettled` where one could not be deleted, and
    then tries none any more."""
    for start in range(0, len(found), AT_ONCE):
        some = found[start : start + AT_ONCE]
        deleted = await asyncio.gather(
            *(retry_write(run_writer.ports.table, *map(Delete, keys_of)) for keys_of in some), return_exceptions=True
        )
        for failed in deleted:
            if failed is not None:
                raise failed
