"""Places of the core that schedules have to come to and that neither log nor answers tell of."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from dayfly.engine.pausing import Pause
from dayfly.ports.table import Action, ConditionsFailed
from dayfly.publisher.closing import cancel_queued
from dayfly.publisher.outside import Outside
from dayfly.recovery import deletion
from dayfly.runlog.rows import ThreadRow
from tests.simulation.dice import replaced

DELETION_CANCELS: Final = "a deletion cancels a queue"
PAUSE_LOST: Final = "a pause is lost"


@contextmanager
def watched(reached: set[str]) -> Iterator[None]:
    """For the time of the block, names those that are come to in `reached`."""
    lost = Pause.lost

    async def cancelling(outside: Outside, thread: ThreadRow) -> None:
        reached.add(DELETION_CANCELS)
        await cancel_queued(outside, thread)

    def losing(self: Pause, failed: ConditionsFailed, actions: tuple[Action, ...]) -> None:
        reached.add(PAUSE_LOST)
        lost(self, failed, actions)

    with replaced(deletion, "cancel_queued", cancelling), replaced(Pause, "lost", losing):
        yield
