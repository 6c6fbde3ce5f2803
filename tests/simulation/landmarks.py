"""Places of the core that schedules have to come to and that neither log nor answers tell of."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from dayfly.log.writer import Lost
from dayfly.recovery import deletion
from dayfly.runs.end import cancel_queued
from dayfly.runs.pause import Pause
from dayfly.runs.writer import RunWriter
from dayfly.store.rows import ThreadRow
from tests.simulation.dice import replaced

DELETION_CANCELS: Final = "a deletion cancels a queue"
PAUSE_LOST: Final = "a pause is lost"


@contextmanager
def watched(reached: set[str]) -> Iterator[None]:
    """For the time of the block, names those that are come to in `reached`."""
    lost = Pause.lost

    async def cancelling(run_writer: RunWriter, thread: ThreadRow) -> None:
        reached.add(DELETION_CANCELS)
        await cancel_queued(run_writer, thread)

    def losing(self: Pause, found: Lost) -> None:
        reached.add(PAUSE_LOST)
        lost(self, found)

    with replaced(deletion, "cancel_queued", cancelling), replaced(Pause, "lost", losing):
        yield
