"""Renaming a thread, and forgetting it."""

from dataclasses import replace
from functools import partial
from typing import Final

from dayfly.context.caller import Caller
from dayfly.errors import ThreadNotFound
from dayfly.protocol.frames import Forget, Rename
from dayfly.protocol.replies import Forgotten, Renamed
from dayfly.router.cancel import end_if_idle
from dayfly.router.services import Services
from dayfly.runs.admit import cancel_mark
from dayfly.runs.closing import cancel_queued
from dayfly.runs.lookup import live_thread, run_of
from dayfly.runs.writer import RunWriter
from dayfly.store import keys
from dayfly.store.retry import retry_write
from dayfly.store.rows import ForgetRow, ThreadRow, ThreadState
from dayfly.store.table import Action, ConditionsFailed, Matches, Put

FORGET_AFTER_MS: Final = 60_000
"""When the deletion of a forgotten thread is first looked at."""


async def rename(services: Services, caller: Caller, frame: Rename) -> Renamed:
    """Gives the thread its title, and tells all of the user's sockets. Raises `ThreadNotFound`, `Unsettled`."""
    while True:
        thread = await live_thread(services.table, user_id=caller.user_id, thread_id=frame.thread_id)
        renamed = replace(thread, title=frame.title, version=thread.version + 1)
        if await _written(services, renamed, Put(renamed, Matches(version=thread.version))):
            break
    await _announce(services.run_writer(caller), renamed)
    return Renamed(id=frame.id, thread_id=renamed.thread_id, title=renamed.title)


async def forget(services: Services, caller: Caller, frame: Forget) -> Forgotten:
    """Marks the thread forgotten, from which on everything refuses it, and asks its runs to end; the deletion is driven
    by a row of its own. To forget again what is being deleted repeats what may be left to do.

    Raises `ThreadNotFound`, and `Unsettled`, after which the thread may be forgotten already.
    """
    while True:
        thread = await services.table.get(keys.thread_key(caller.user_id, frame.thread_id), ThreadRow)
        if thread is None:
            raise ThreadNotFound("There is no such thread.")
        if thread.state == ThreadState.FORGOTTEN:
            break
        forgotten = replace(thread, state=ThreadState.FORGOTTEN, version=thread.version + 1)
        if await _written(services, forgotten, *_forgetting(thread, forgotten, now=services.clock.now_ms())):
            thread = forgotten
            break
    run_writer = services.run_writer(caller)
    await _announce(run_writer, thread)
    if thread.active_run is not None:
        await end_if_idle(
            services, caller, await run_of(services.table, user_id=caller.user_id, run_id=thread.active_run)
        )
    await cancel_queued(run_writer, thread)
    return Forgotten(id=frame.id, thread_id=thread.thread_id)


def _forgetting(thread: ThreadRow, forgotten: ThreadRow, *, now: int) -> tuple[Action, ...]:
    deletion = ForgetRow(
        user_id=thread.user_id,
        thread_id=thread.thread_id,
        lease_shard=keys.lease_shard(thread.thread_id),
        due=now + FORGET_AFTER_MS,
        at=now,
    )
    runs = [run for run in (thread.active_run, *thread.queue) if run is not None]
    marks = (Put(cancel_mark(thread, run, now=now)) for run in runs)
    return (Put(forgotten, Matches(version=thread.version)), Put(deletion), *marks)


async def _announce(run_writer: RunWriter, thread: ThreadRow) -> None:
    await run_writer.in_background(partial(run_writer.announcer.thread_changed, thread))


async def _written(services: Services, row: ThreadRow, *actions: Action) -> bool:
    """Whether the thread is as `row` says; if not, it has moved meanwhile."""
    try:
        await retry_write(services.table, *actions)
    except ConditionsFailed as failed:
        return failed.found.get(0) == row  # this very write, whose answer was lost
    return True
