"""Finds the thread or run that a frame names, in its sender's own partition alone: another user's is not found."""

from dayfly.errors import RunNotFound, ThreadNotFound
from dayfly.protocol.events import decode_event
from dayfly.store import keys
from dayfly.store.rows import LogRow, RunRow, ThreadRow, ThreadState
from dayfly.store.table import Table


async def live_thread(table: Table, *, user_id: str, thread_id: str) -> ThreadRow:
    """The user's thread. Raises `ThreadNotFound` if there is none, or it was forgotten."""
    row = await table.get(keys.thread_key(user_id, thread_id), ThreadRow)
    if row is None or row.state != ThreadState.LIVE:
        raise ThreadNotFound("There is no such thread.")
    return row


async def live_run(table: Table, *, user_id: str, run_id: str) -> RunRow:
    """The user's run. Raises `RunNotFound` if there is none, or its thread was forgotten."""
    row = await run_of(table, user_id=user_id, run_id=run_id)
    try:
        await live_thread(table, user_id=user_id, thread_id=row.thread_id)
    except ThreadNotFound as forgotten:
        raise RunNotFound("There is no such run.") from forgotten
    return row


async def run_of(table: Table, *, user_id: str, run_id: str) -> RunRow:
    """The user's run, by its id alone: its first log record names the thread. Raises `RunNotFound`."""
    first = await table.get(keys.log_key(user_id, run_id, 1), LogRow)
    if first is not None:
        thread_id = decode_event(first.events[0]).thread_id
        row = await table.get(keys.run_key(user_id, thread_id, run_id), RunRow)
        if row is not None:
            return row
    raise RunNotFound("There is no such run.")
