"""The core's bounds, drawn small in some schedules, so that what lies beyond them is reached as well."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from types import ModuleType
from typing import Final

from dayfly.delivery import bridge, socket_queue
from dayfly.history import chunks
from dayfly.history import reader as history_reader
from dayfly.log import batch, reader, writer
from dayfly.recovery import deletion, sweep
from dayfly.router import attach, history, threads
from dayfly.runs import admit, quotas
from dayfly.store import large_values
from tests.simulation.dice import Dice, replaced

_Bound = tuple[tuple[ModuleType, str], ...]

_BOUNDS: Final[tuple[tuple[_Bound, int], ...]] = (
    (((attach, "REPLAY_BYTES"),), 1500),
    (((attach, "REPLAY_EVENTS"),), 3),
    (((attach, "REPLAY_RUNS"),), 2),
    (((admit, "QUEUE_LENGTH"),), 1),
    (((quotas, "ACTIVE_RUNS"),), 2),
    (((quotas, "WINDOW_RUNS"),), 3),
    (((threads, "THREADS_PAGE"),), 1),
    (((threads, "THREADS_BYTES"),), 300),
    (((chunks, "PIECE_BYTES"),), 9),
    (((chunks, "CHUNK_TEXT_BYTES"),), 200),
    (((chunks, "CHUNK_BYTES"),), 300),
    (((history, "PAGE_BYTES"),), 40),
    (((history, "PAGE_MESSAGES"),), 2),
    (((history, "PAGE_TURNS"),), 1),
    (((history, "AT_ONCE"),), 1),
    (((history_reader, "MODEL_TURNS"),), 1),
    (((batch, "DELTA_BYTES"), (bridge, "DELTA_BYTES")), 12),
    (((bridge, "BUFFERED_WEIGHT"),), 40),
    (((bridge, "BATCH_WEIGHT"),), 60),
    (((large_values, "INLINE_BYTES"), (writer, "INLINE_BYTES"), (chunks, "INLINE_BYTES")), 60),
    (((large_values, "PART_BYTES"),), 50),
    (((socket_queue, "QUEUE_BYTES"),), 700),
    (((reader, "PAGE"),), 2),
    (((deletion, "MOST_ROWS"),), 8),
    (((deletion, "PAGE"),), 2),
    (((deletion, "AT_ONCE"),), 1),
    (((sweep, "AT_ONCE"),), 1),
)


@contextmanager
def drawn(dice: Dice) -> Iterator[None]:
    """For the time of the block, some bounds are small: in half of all schedules none, in the others a few."""
    share = dice.pick((0.0, 0.0, 0.15, 0.4))
    with ExitStack() as stack:
        for places, value in _BOUNDS:
            if share and dice.chance(share):
                for module, name in places:
                    stack.enter_context(replaced(module, name, value))
        yield
