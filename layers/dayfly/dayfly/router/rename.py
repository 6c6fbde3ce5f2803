"""`rename`: gives a thread its title."""

from dataclasses import replace
from functools import partial

from dayfly.protocol.frames import Rename
from dayfly.protocol.replies import Renamed
from dayfly.router.request import Request
from dayfly.runs.lookup import live_thread
from dayfly.store.retry import retry_write
from dayfly.store.rows import ThreadRow
from dayfly.store.table import Action, ConditionsFailed, Matches, Put


async def rename(request: Request, frame: Rename) -> Renamed:
    """Gives the thread its title, and tells all of the user's sockets. Raises `ThreadNotFound`, `Unsettled`."""
    while True:
        thread = await live_thread(request.ports.table, user_id=request.caller.user_id, thread_id=frame.thread_id)
        renamed = replace(thread, title=frame.title, version=thread.version + 1)
        if await written(request, renamed, Put(renamed, Matches(version=thread.version))):
            break
    await announce(request, renamed)
    return Renamed(id=frame.id, thread_id=renamed.thread_id, title=renamed.title)


async def announce(request: Request, thread: ThreadRow) -> None:
    """Tells all of the user's sockets of the thread as it is now."""
    run_writer = request.run_writer
    await run_writer.in_background(partial(run_writer.announcer.thread_changed, thread))


async def written(request: Request, row: ThreadRow, *actions: Action) -> bool:
    """Whether the thread is as `row` says; if not, it has moved meanwhile."""
    try:
        await retry_write(request.ports.table, *actions)
    except ConditionsFailed as failed:
        return failed.found.get(0) == row  # this very write, whose answer was lost
    return True
