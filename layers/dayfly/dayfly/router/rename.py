"""`rename`: changes a thread's title."""

from dataclasses import replace

from dayfly.protocol.frames import Rename
from dayfly.protocol.replies import Renamed
from dayfly.router.request import Request
from dayfly.router.thread_write import announce, written
from dayfly.runs.lookup import live_thread
from dayfly.store.table import Matches, Put


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
