"""Writing at the tail of a log in which a dead engine's last append may still land."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

from dayfly.errors import Superseded
from dayfly.publisher.outside import Outside
from dayfly.runlog import keys
from dayfly.runlog.rows import LeaseRow, RunRow

BEHIND_S: Final = 2.0
"""How long a write is tried again behind what lands. After that somebody lives."""
PAUSE_S: Final = 0.02

T = TypeVar("T")


async def behind_what_lands(
    outside: Outside, run: RunRow, lease: LeaseRow | None, write: Callable[[], Awaitable[T]]
) -> T:
    """What `write` returns, which reads the tail and writes behind it: tried again while it is `Superseded` and the
    lease is still as it was read, for up to 2 seconds. Raises `Superseded` when somebody who looks after the run was
    faster, and what `write` raises besides."""
    until = outside.clock.monotonic() + BEHIND_S
    while True:
        try:
            return await write()
        except Superseded:
            now = await outside.table.get(keys.lease_key(run.user, run.run), LeaseRow)
            left = until - outside.clock.monotonic()
            if now != lease or left <= 0:
                raise
        await asyncio.sleep(min(PAUSE_S, left))
