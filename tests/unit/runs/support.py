"""What the tests of runs share: a dead engine whose last appends still land."""

from collections.abc import Callable
from dataclasses import replace

from dayfly.store.rows import LogRow, RunRow
from tests.fakes.faulty_table import Call
from tests.fakes.world import World


def landing(
    world: World, run: RunRow, before: Callable[[Call], bool], *, most: int | None = None
) -> Callable[[Call], float | None]:
    """A plan by which a batch of the run's engine lands before each such call, `most` times; each write takes 0.1 s."""
    landed = 0

    def plan(call: Call) -> float | None:
        nonlocal landed
        if before(call) and landed != most:
            landed += 1
            tail = max((row for row in world.rows(LogRow) if row.run_id == run.run_id), key=lambda row: row.last)
            text = tail.events[-1].replace(f'"seq":{tail.last}', f'"seq":{tail.last + 1}')
            late = replace(tail, first=tail.last + 1, last=tail.last + 1, events=(text,), ordinal=tail.ordinal + 1)
            world.memory._rows[late.key] = late
        return 0.1 if call.method == "write" else None

    return plan
