"""The check on cancellation: an agent stops at once, wherever it is, and leaves nothing behind."""

import asyncio
import threading
from typing import Final

from dayfly.agents.sdk.conduct import begin_run, close_run
from dayfly.agents.sdk.protocol import AgentEvent, Turn
from dayfly.agents.testing.trial import Scenario, Trial
from dayfly.agents.testing.violations import Check, Violation, behind, told

SETTLE_S: Final = 0.02
"""How long the agent may get into its next step before it is cancelled."""
_LOOPS_OWN: Final = "asyncio_"
"""How the threads of `asyncio.to_thread` are named, which their loop keeps for the next call."""


async def cancellation(scenario: Scenario, whole: Trial) -> list[Violation]:
    """Cancels a run behind each of its events, and once before the first."""
    found: list[Violation] = []
    for attempt in whole.attempts:
        for count in range(len(attempt.events)):
            found += await _stopped(scenario, attempt.turn, attempt.events[:count])
            if found:  # what is left of one run would be taken for the next one's
                return found
    return found


async def _stopped(scenario: Scenario, turn: Turn, events: tuple[AgentEvent, ...]) -> list[Violation]:
    where = behind(events)
    tasks, threads = asyncio.all_tasks(), set(threading.enumerate())
    reached = asyncio.Event()
    run = asyncio.create_task(_until(scenario, turn, len(events), reached), name="a run to be cancelled")
    waiting = asyncio.create_task(reached.wait())
    await asyncio.wait((run, waiting), timeout=scenario.silent_s, return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()
    await asyncio.sleep(SETTLE_S)
    run.cancel()
    await asyncio.wait((run,), timeout=scenario.stops_within_s)
    if not run.done():
        run.cancel()
        return [_violation(f"It had not stopped {scenario.stops_within_s:g} s after it was cancelled {where}.")]
    found: list[Violation] = []
    if not run.cancelled() and (error := run.exception()) is not None:
        found.append(_violation(f"It raised when it was cancelled {where}: {told(error)}"))
    await asyncio.sleep(0)
    left = [task.get_name() for task in asyncio.all_tasks() - tasks - {run, waiting} if not task.done()]
    if left:
        found.append(_violation(f"It left tasks running when it was cancelled {where}: {', '.join(sorted(left))}."))
    if names := await _threads_left(threads, scenario.stops_within_s):
        found.append(_violation(f"It left threads running when it was cancelled {where}: {', '.join(names)}."))
    if scenario.still_open is not None and scenario.still_open():
        found.append(_violation(f"It left a stream open when it was cancelled {where}."))
    return found


async def _until(scenario: Scenario, turn: Turn, count: int, reached: asyncio.Event) -> None:
    """Takes so many events and asks for the next, as an engine does."""
    events = begin_run(scenario.recipe(), turn)
    try:
        for _ in range(count):
            await anext(events, None)
        reached.set()
        await anext(events, None)
        if (task := asyncio.current_task()) is not None and not task.cancelling():
            await asyncio.Event().wait()  # until it is cancelled
    finally:
        await close_run(events)


async def _threads_left(before: set[threading.Thread], within_s: float) -> list[str]:
    until = asyncio.get_running_loop().time() + within_s
    while True:
        left = [thread for thread in set(threading.enumerate()) - before if not thread.name.startswith(_LOOPS_OWN)]
        if not left or asyncio.get_running_loop().time() >= until:
            return sorted(thread.name for thread in left)
        await asyncio.sleep(0.01)


def _violation(sentence: str) -> Violation:
    return Violation(Check.CANCELLATION, sentence)
