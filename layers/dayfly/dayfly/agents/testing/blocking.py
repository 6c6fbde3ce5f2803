"""The check on blocking: while an agent works, its event loop is free for others."""

import asyncio
import sys
import threading
import time
import traceback
from dataclasses import dataclass
from types import FrameType
from typing import Final

from dayfly.agents.testing.trial import Scenario, run_trial
from dayfly.agents.testing.violations import Check, Violation

_TICK_S: Final = 0.01


async def blocking(scenario: Scenario) -> list[Violation]:
    """Runs the agent, and looks from another thread whether its event loop goes on."""
    watch = _LoopWatch(scenario.blocks_s)
    ticking = asyncio.create_task(watch.tick())
    watch.start()
    try:
        await run_trial(scenario, scenario.turn())
    finally:
        watch.stop()
        ticking.cancel()
    if watch.longest is None:
        return []
    return [
        Violation(
            Check.BLOCKING,
            f"It blocked its event loop for {watch.longest.seconds:.1f} s, at {watch.longest.place}: heartbeats and "
            "cancels of its own work wait meanwhile. Await it, or hand it to `run_in_thread`.",
        )
    ]


@dataclass(frozen=True, slots=True)
class _Block:
    seconds: float
    place: str


class _LoopWatch:
    """Counts how often the loop was not seen to go on. Time in which this thread itself did not run counts as none, so
    a busy machine is not taken for a blocked loop."""

    def __init__(self, most_s: float) -> None:
        self.longest: _Block | None = None
        self._most_s = most_s
        self._ticks = 0
        self._stopped = threading.Event()
        self._watched = threading.get_ident()
        self._thread = threading.Thread(target=self._watch, name="asyncio_watch", daemon=True)

    def start(self) -> None:
        """Begins to look."""
        self._thread.start()

    def stop(self) -> None:
        """Ends the thread."""
        self._stopped.set()
        self._thread.join()

    async def tick(self) -> None:
        """Shows that the loop goes on, until it is cancelled."""
        while True:
            self._ticks += 1
            await asyncio.sleep(_TICK_S / 2)

    def _watch(self) -> None:
        seen, blocked = -1, 0.0
        while not self._stopped.is_set():
            began = time.monotonic()
            self._stopped.wait(_TICK_S)
            looked = min(time.monotonic() - began, 2 * _TICK_S)
            blocked = blocked + looked if self._ticks == seen else 0.0
            seen = self._ticks
            if blocked > self._most_s and blocked > (self.longest.seconds if self.longest else 0.0):
                self.longest = _Block(blocked, self.longest.place if self.longest else self._place())

    def _place(self) -> str:
        """The line that runs, in the agent's own code if that can be told."""
        frame: FrameType | None = sys._current_frames().get(self._watched)  # noqa: SLF001  # the only way to see it
        lines = traceback.extract_stack(frame)
        foreign = ("site-packages", "/dayfly/agents/", sys.base_prefix)
        own = [line for line in lines if not any(place in line.filename for place in foreign)] or lines
        return f"{own[-1].filename}, line {own[-1].lineno} ({own[-1].line})"
