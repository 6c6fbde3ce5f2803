"""`rename`: changes a thread's title."""

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
    """Changes the thread's title and announces it to all of the user's sockets. Raises `ThreadNotFound`,
    `Unsettled`."""
    while True:
        thread = await live_thread(request.ports.table, user_id=request.caller.user_id, thread_id=frame.thread_id)
        renamed = replace(thread, title=frame.title, version=thread.version + 1)
        if await written(request, renamed, Put(renamed, Matches(version=thread.version))):
            break
    await announce(request, renamed)
    return Renamed(id=frame.id, thread_id=renamed.thread_id, title=renamed.title)


async def announce(request: Request, thread: ThreadRow) -> None:
    """Posts the thread's list entry to all of the user's sockets, in the background."""
    run_writer = request.run_writer
    await run_writer.in_background(partial(run_writer.announcer.thread_changed, thread))


async def written(request: Request, row: ThreadRow, *actions: Action) -> bool:
    """Writes the actions, of which the first puts `row`. Returns `False` if the thread has changed meanwhile."""
    try:
        await retry_write(request.ports.table, *actions)
    except ConditionsFailed as failed:
        return failed.found.get(0) == row  # this very write, whose answer was lost
    return True
