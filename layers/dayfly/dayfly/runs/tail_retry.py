"""Writing at the tail of a log in which a dead engine's last append may still land."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

from dayfly.errors import Superseded
from dayfly.runs.writer import RunWriter
from dayfly.store import keys
from dayfly.store.rows import LeaseRow, RunRow

BEHIND_S: Final = 2.0
"""How long a write is tried again behind what lands. After that somebody lives."""
PAUSE_S: Final = 0.02

T = TypeVar("T")


async def retry_at_tail(
    run_writer: RunWriter, run: RunRow, lease: LeaseRow | None, write: Callable[[], Awaitable[T]]
) -> T:
    """What `write` returns, which reads the tail and writes behind it: tried again while it is `Superseded` and the
    lease is still as it was read, for up to 2 seconds. Raises `Superseded` when somebody who looks after the run was
    faster, and what `write` raises besides."""
    until = run_writer.clock.monotonic() + BEHIND_S
    while True:
        try:
            return await write()
        except Superseded:
            now = await run_writer.table.get(keys.lease_key(run.user_id, run.run_id), LeaseRow)
            left = until - run_writer.clock.monotonic()
            if now != lease or left <= 0:
                raise
        await asyncio.sleep(min(PAUSE_S, left))
