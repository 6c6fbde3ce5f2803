"""Supervision of one attempt: what runs beside its agent, and which of several things ends it first."""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Any, Final

from dayfly.engine.agent_host import AgentHost
from dayfly.engine.audience_watcher import AudienceWatcher
from dayfly.engine.lease_keeper import LeaseKeeper
from dayfly.engine.time_budget import TimeBudget
from dayfly.engine.verdict import AgentEnded, Cancelled, LeaseLost, OutOfTime, RunTimeUsed, Verdict

LAST_WORD_S: Final = 5.0
"""How long an agent may go on after its answer, or its question, to let go of what it holds."""

_log = logging.getLogger("dayfly.engine")


class Supervision:
    """Runs the tasks beside an agent (lease, audience, heartbeats), runs the agent once, and returns why it ended.

    Use as an async context manager, inside the engine's event loop: the tasks start with the block and are cancelled at
    its end. If one of them failed, the block raises its failure (unless it raises another, or the lease is lost): no
    run may go on without a renewed lease and a watched audience.

    Args:
        host: Where the agent runs.
        budget: How long it may run.
        keeper: Renews the lease.
        watcher: Re-reads the audience and the cancel marks.
        updates: Makes the coroutine that sends heartbeats until it is cancelled.
        out_of_time: Set by whoever takes the agent's events, once no other step fits.
        last_word: Set likewise, once the agent has answered or asked: all that its run needs of it.
    """

    def __init__(
        self,
        host: AgentHost,
        budget: TimeBudget,
        *,
        keeper: LeaseKeeper,
        watcher: AudienceWatcher,
        updates: Callable[[], Coroutine[Any, Any, None]],
        out_of_time: asyncio.Event,
        last_word: asyncio.Event,
    ) -> None:
        self._host = host
        self._budget = budget
        self._keeper = keeper
        self._watcher = watcher
        self._updates = updates
        self._out_of_time = out_of_time
        self._last_word = last_word
        self._lost = asyncio.Event()
        self._work: tuple[asyncio.Task[None], ...] = ()
        self._signals: tuple[asyncio.Task[bool], ...] = ()
        self._spoken: tuple[asyncio.Task[bool], ...] = ()

    async def __aenter__(self) -> "Supervision":
        work = (self._keeper.keep(self._lost.set), self._watcher.run(), self._updates())
        self._work = tuple(asyncio.create_task(one) for one in work)
        events = (self._watcher.cancelled, self._lost, self._out_of_time)
        self._signals = tuple(asyncio.create_task(event.wait()) for event in events)
        self._spoken = (asyncio.create_task(self._last_word.wait()),)
        return self

    async def __aexit__(self, kind: type[BaseException] | None, *exc_info: object) -> None:
        await _end(*self._work, *self._signals, *self._spoken)
        for task in self._work:
            # A failure must not go unseen, unless the block has one of its own or its run is another's by now.
            if kind is None and not task.cancelled() and not self._lost.is_set():
                task.result()

    async def run(self, drive: Callable[[], Coroutine[Any, Any, None]]) -> Verdict:
        """Runs the agent until it ends, is cancelled, runs out of time, or another engine takes over. An agent that has
        not ended by itself is stopped; one that can not be stopped is left to its host. Behind its last word it has
        `LAST_WORD_S` to end, and then counts as ended: what was answered is not lost to a loop that hangs.

        Args:
            drive: Makes the agent's coroutine; called where the agent is to run.

        Raises:
            Exception: What a task beside the agent has failed with.
        """
        if (verdict := self._interruption()) is not None:
            return verdict
        self._host.start(drive)
        agent = asyncio.create_task(_error_of(self._host))
        try:
            if await self._has_ended(agent):
                return AgentEnded(agent.result() if agent.done() else None)
        finally:
            if not agent.done():
                await self._host.stop()
            await _end(agent)
        return self._interruption() or self._time_used()

    async def _has_ended(self, agent: "asyncio.Task[BaseException | None]") -> bool:
        """Waits until the agent ends, a signal is set, a task fails, or the time is up. Returns whether the agent ended
        or has said its last word, and that counts: it does if a cancel came at the same moment, and does not if the
        lease was lost."""
        await asyncio.wait(
            (agent, *self._signals, *self._spoken, *self._work),
            timeout=self._budget.left_s,
            return_when=asyncio.FIRST_COMPLETED,
        )
        if self._last_word.is_set():
            await asyncio.wait(
                (agent, *self._signals, *self._work),
                timeout=min(LAST_WORD_S, self._budget.left_s),
                return_when=asyncio.FIRST_COMPLETED,
            )
        if isinstance(self._interruption(), LeaseLost):
            return False
        if self._last_word.is_set() and not agent.done():
            _log.warning("the agent went on after its last word, and is stopped")
        return agent.done() or self._last_word.is_set()

    def _interruption(self) -> Verdict | None:
        """What ends the attempt whatever its agent is at. Raises what a task beside it has failed with."""
        if self._lost.is_set():
            return LeaseLost()
        for task in self._work:
            if task.done():
                task.result()
        return Cancelled() if self._watcher.cancelled.is_set() else None

    def _time_used(self) -> Verdict:
        return RunTimeUsed() if self._budget.run_is_over else OutOfTime(cut=not self._out_of_time.is_set())


async def _error_of(host: AgentHost) -> BaseException | None:
    """What the agent has raised, as a value: nobody looks at the end of one that was stopped, and the event loop logs a
    task whose error nobody has looked at."""
    try:
        await host.wait()
    except asyncio.CancelledError:
        raise
    except BaseException as error:  # noqa: BLE001  handed on as a value; the engine raises what is not the agent's
        return error
    return None


async def _end(*tasks: "asyncio.Task[Any]") -> None:
    """Cancels the tasks and waits for their end. Their failures stay in them."""
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
