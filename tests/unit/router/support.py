"""What the tests of `attach` share."""

import asyncio

from tests.fakes.sockets import JsonObject
from tests.fakes.world import World


async def many_ended(world: World, count: int) -> JsonObject:
    """The `accepted` of the first of so many runs of one thread, all of which have ended."""
    first = run = await world.ask("run", text="0")
    await world.ask("cancel", run_id=run["run_id"])
    for number in range(1, count):
        await asyncio.sleep(1.1)  # within the quota
        run = await world.ask("run", text=str(number), thread_id=first["thread_id"])
        await world.ask("cancel", run_id=run["run_id"])
    return first
