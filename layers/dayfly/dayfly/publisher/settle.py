"""Writing until it is settled."""

import asyncio
import random
from typing import Final

from dayfly.errors import Unsettled
from dayfly.ports.table import Action, Table

FIRST_PAUSE_S: Final = 0.02
LONGEST_PAUSE_S: Final = 1.0
PATIENCE_S: Final = 15.0
"""How long one write is repeated before its writer gives up and says so."""


async def settle(table: Table, *actions: Action, token: str | None = None, patience_s: float = PATIENCE_S) -> None:
    """Carries out the write, repeating it byte for byte while its outcome is unknown.

    A repeat may find the work of the first try: the caller of a conditional write must know its own row again (by
    nonce) when `ConditionsFailed` returns it. Raises `ConditionsFailed`, and `Unsettled` after `patience_s` seconds.
    """
    pause = FIRST_PAUSE_S
    loop = asyncio.get_running_loop()
    until = loop.time() + patience_s
    while True:
        try:
            await table.write(*actions, token=token)
        except Unsettled:
            if loop.time() + pause > until:
                raise
            await asyncio.sleep(pause * random.uniform(0.5, 1.5))  # noqa: S311  spreads retries, guards nothing
            pause = min(pause * 2, LONGEST_PAUSE_S)
        else:
            return
