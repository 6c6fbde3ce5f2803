"""Writing until it is settled, and reading until it is answered."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

from dayfly.errors import Unsettled
from dayfly.ports.table import Action, Table

FIRST_PAUSE_S: Final = 0.02
LONGEST_PAUSE_S: Final = 1.0
PATIENCE_S: Final = 15.0
"""How long one call is repeated before its caller gives up and says so."""

T = TypeVar("T")


async def settle(table: Table, *actions: Action, token: str | None = None, patience_s: float = PATIENCE_S) -> None:
    """Carries out the write, repeating it byte for byte while its outcome is unknown.

    A repeat may find the work of the first try: the caller of a conditional write must know its own row again (by
    nonce) when `ConditionsFailed` returns it. Raises `ConditionsFailed`, and `Unsettled` after `patience_s` seconds.
    """
    await answered(lambda: table.write(*actions, token=token), patience_s=patience_s)


async def answered(call: Callable[[], Awaitable[T]], *, patience_s: float = PATIENCE_S) -> T:
    """Repeats a call while it is `Unsettled`, with growing pauses. For reads, where a single lost answer must not cost
    a run. No try begins later than `patience_s` seconds after the first: a pause is cut to the time left. Raises
    `Unsettled` where the last one is unsettled too."""
    pause = FIRST_PAUSE_S
    loop = asyncio.get_running_loop()
    until = loop.time() + patience_s
    while True:
        try:
            return await call()
        except Unsettled:
            left = until - loop.time()
            if left <= 0:
                raise
            drawn = pause * random.uniform(0.5, 1.5)  # noqa: S311  spreads retries, guards nothing
            await asyncio.sleep(min(drawn, left))
            pause = min(pause * 2, LONGEST_PAUSE_S)
