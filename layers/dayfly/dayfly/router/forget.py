"""`forget`: marks a thread forgotten and ends its runs; a row of its own drives its deletion."""

from dataclasses import replace
from typing import Final

from dayfly.errors import ThreadNotFound
from dayfly.protocol.frames import Forget
from dayfly.protocol.replies import Forgotten
from dayfly.router.request import Request
from dayfly.router.thread_write import announce, written
from dayfly.runs.cancel import cancel_mark, end_if_idle
from dayfly.runs.end import cancel_queued
from dayfly.runs.lookup import run_of
from dayfly.store import keys
from dayfly.store.rows import ForgetRow, ThreadRow, ThreadState
from dayfly.store.table import Action, Matches, Put

FORGET_AFTER_MS: Final = 60_000
"""When the deletion of a forgotten thread is first looked at."""


async def forget(request: Request, frame: Forget) -> Forgotten:
    """Marks the thread forgotten, so that every action refuses it, writes cancel marks for its runs and the row that
    drives its deletion, and ends the runs. Forgetting a thread again repeats what may be left to do.

    Raises:
        ThreadNotFound: There is no such thread.
        Unsettled: The table did not answer; the thread may be forgotten already.
    """
    while True:
        thread = await request.ports.table.get(keys.thread_key(request.caller.user_id, frame.thread_id), ThreadRow)
        if thread is None:
            raise ThreadNotFound("There is no such thread.")
        if thread.state is ThreadState.FORGOTTEN:
            break
        forgotten = replace(thread, state=ThreadState.FORGOTTEN, version=thread.version + 1)
        if await written(request, forgotten, *_forgetting(thread, forgotten, now=request.ports.clock.now_ms())):
            thread = forgotten
            break
    run_writer = request.run_writer
    await announce(request, thread)
    if thread.active_run is not None:
        active = await run_of(request.ports.table, user_id=request.caller.user_id, run_id=thread.active_run)
        await end_if_idle(run_writer, active)
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
    run_ids = [run_id for run_id in (thread.active_run, *thread.queue) if run_id is not None]
    marks = (Put(cancel_mark(thread, run_id, now=now)) for run_id in run_ids)
    return (Put(forgotten, Matches(version=thread.version)), Put(deletion), *marks)
