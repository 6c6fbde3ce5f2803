"""Writing a thread's row and announcing it: what the actions on threads share."""

from functools import partial

from dayfly.router.request import Request
from dayfly.store.retry import retry_write
from dayfly.store.rows import ThreadRow
from dayfly.store.table import Action, ConditionsFailed


async def written(request: Request, row: ThreadRow, *actions: Action) -> bool:
    """Writes the actions, of which the first puts `row`. Returns `False` if the thread has changed meanwhile."""
    try:
        await retry_write(request.ports.table, *actions)
    except ConditionsFailed as failed:
        return failed.found.get(0) == row  # this very write, whose answer was lost
    return True


async def announce(request: Request, thread: ThreadRow) -> None:
    """Posts the thread's list entry to all of the user's sockets, in the background."""
    run_writer = request.run_writer
    await run_writer.in_background(partial(run_writer.announcer.thread_changed, thread))
