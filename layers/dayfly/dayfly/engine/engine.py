"""One run attempt's engine."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeVar

from dayfly.agents.protocol import Agent, Asked, Turn
from dayfly.context.execution import UserExecutionContext
from dayfly.engine.agent_host import LAST_GRACE_S, AgentHost
from dayfly.engine.attempt import Attempt
from dayfly.engine.lease_keeper import LeaseKeeper
from dayfly.engine.limits import RunLimits
from dayfly.engine.narrator import Narrator
from dayfly.engine.periodic_updates import PeriodicUpdateManager
from dayfly.engine.reading import read_history, read_run
from dayfly.engine.state import EngineState, moved
from dayfly.engine.time_budget import TimeBudget
from dayfly.engine.verdict import HandOver, Verdict, usage_of, verdict_on
from dayfly.engine.watch import Watch
from dayfly.errors import RunTooLong, Superseded
from dayfly.ports.meter import Metric
from dayfly.protocol.events import AgentCancelled, AgentError, AgentStarted
from dayfly.protocol.signals import Phase
from dayfly.publisher.bridge import WebSocketBridge
from dayfly.publisher.outside import Outside
from dayfly.publisher.payloads import failure
from dayfly.runlog.messages import Message
from dayfly.runlog.resumption import Resumption
from dayfly.runlog.rows import RunRow
from dayfly.runlog.status import Outcome

_log = logging.getLogger("dayfly.engine")

T = TypeVar("T")


class Left(StrEnum):
    """An attempt that ended while its run goes on."""

    HANDED_OVER = "handed_over"
    WAITING = "waiting"


@dataclass(frozen=True, slots=True)
class RunReport:
    """What became of an attempt. `outcome` is `None` where another writer had taken over; with `stuck`, a tool's thread
    could not be stopped and the process must not be used again."""

    outcome: Outcome | Left | None
    stuck: bool = False


class IsolatedExecutionEngine:
    """Runs one attempt of one run, once; everything in it is made for it alone.

    Use it as `async with factory.create(context) as engine: await engine.run()`. Closing is idempotent; a closed engine
    raises `EngineClosed`.
    """

    def __init__(
        self,
        context: UserExecutionContext,
        *,
        agent: Agent,
        bridge: WebSocketBridge,
        updates: PeriodicUpdateManager,
        host: AgentHost,
        outside: Outside,
        limits: RunLimits,
    ) -> None:
        self.context = context
        self.state = EngineState.NEW
        self._agent = agent
        self._bridge = bridge
        self._updates = updates
        self._host = host
        self._outside = outside
        self._limits = limits
        self._table = outside.table
        self._clock = outside.clock
        self._meter = outside.meter
        self._started = outside.clock.monotonic()
        self._spent_ms = 0
        self._stuck = False

    async def __aenter__(self) -> "IsolatedExecutionEngine":
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Stops what still runs and lets go of everything. Idempotent."""
        if self.state is EngineState.CLOSED:
            return
        stopped = self.state is EngineState.ENDED
        self.state = moved(self.state, EngineState.CLOSED)
        if not stopped:
            self._stuck = not await self._host.stop()
        await self._bridge.close()
        self._meter.add(Metric.ENGINES_CLEANED)

    async def run(self) -> RunReport:
        """Runs the attempt to its end, and posts that end: the run's, or that it was handed over or waits.

        Returns without an outcome where another writer has taken over: no lease, no invocation, no ending. Raises
        `EngineClosed` after `close`, `IllegalTransition` when called twice, and `Unsettled` where the log could not be
        reached: then the run is recovered from outside.
        """
        self.state = moved(self.state, EngineState.RUNNING)
        try:
            outcome = await self._attempt()
        except Superseded as reason:
            _log.info("superseded", extra={"run": self.context.run_id, "reason": str(reason)})
            outcome = None
        finally:
            self._stuck = not await self._host.stop(patience_s=LAST_GRACE_S)
            self.state = moved(self.state, EngineState.ENDED)
        return RunReport(outcome, stuck=self._stuck)

    async def _attempt(self) -> Outcome | Left | None:
        watch = Watch(
            self._bridge.delivery,
            run=self.context.run_id,
            phase=lambda: Phase.STARTING,
            elapsed_ms=self._elapsed_ms,
        )
        async with self._bridge:
            # The audience is read before the first append, so that it is published to whoever is there.
            async with _beside(watch.look()) as looked:
                facts = await read_run(self._table, self.context)
                await looked
            self._spent_ms = facts.run.spent_ms
            attempt = Attempt(self._outside, self._bridge, facts, self._limits)
            async with _beside(read_history(self._table, facts.thread)) as history:
                if self.context.attempt == 1:
                    await self._bridge.emit(AgentStarted(message=f"{self.context.agent_name} has started."))
                    self._meter.add(Metric.TIME_TO_FIRST_EVENT, max(0, self._clock.now_ms() - facts.run.admitted))
                verdict = await self._live(attempt, watch, history)
            return await self._carry_out(attempt, verdict)

    async def _carry_out(self, attempt: Attempt, verdict: Verdict) -> Outcome | Left | None:
        match verdict:
            case HandOver(cut=cut):
                refused = await attempt.hand_over(cut=cut, elapsed_ms=self._elapsed_ms())
                return await attempt.end(refused) if refused is not None else Left.HANDED_OVER
            case Asked(calls=calls):
                answer = await attempt.ask(calls, elapsed_ms=self._elapsed_ms())
                if isinstance(answer, AgentError):
                    return await attempt.end(answer)
                return answer or Left.WAITING
            case _:
                return await attempt.end(verdict)

    async def _live(self, attempt: Attempt, watch: Watch, history: Awaitable[tuple[Message, ...]]) -> Verdict:
        """Lets the agent run until it ends, asks, is cancelled, runs out of time, or another takes over. The lease is
        kept from the start, also while the history is still being read."""
        facts = attempt.facts
        run_left_s = (self._limits.run_ms - facts.run.spent_ms) / 1000
        budget = TimeBudget(self._clock, deadline=self.context.deadline, run_left_s=run_left_s)
        keeper = LeaseKeeper(
            self._table, self._clock, self._bridge, attempt.beginning, run=facts.run, lease=facts.lease
        )
        narrator = Narrator(self._bridge, self._host, budget, hold=keeper.hold)
        watch.phase = lambda: narrator.phase
        lost = asyncio.Event()
        async with _background(
            keeper.keep(lost.set),
            watch.run(),
            self._updates.run(
                silent_since=lambda: self._bridge.last_emitted,
                now=self._clock.monotonic,
                beat=lambda: self._bridge.delivery.heartbeat(phase=narrator.phase, elapsed_ms=self._elapsed_ms()),
            ),
        ) as background:
            resumption = facts.resumption
            turn = self._turn(facts.run, resumption, await history)
            if watch.cancelled.is_set():
                return AgentCancelled(execution_time_ms=self._total_ms())
            self._host.start(lambda: narrator.drive(self._agent, turn))
            ended = asyncio.ensure_future(self._host.wait())
            # Where the agent is stopped below, its end is nobody's news; without this the loop would complain.
            ended.add_done_callback(lambda done: done.cancelled() or done.exception())
            events = (watch.cancelled, lost, narrator.out_of_time)
            signals = [asyncio.ensure_future(event.wait()) for event in events]
            try:
                await asyncio.wait(
                    [ended, *signals, *background], timeout=budget.left_s, return_when=asyncio.FIRST_COMPLETED
                )
            finally:
                for signal in signals:
                    signal.cancel()
            for task in background:
                if task.done() and not lost.is_set():
                    task.result()  # raises: a run that nobody watches or keeps must not go on
            if lost.is_set():
                raise Superseded("the lease is another's")
            if ended.done():
                counted = usage_of(resumption, narrator)
                return verdict_on(ended, narrator.answer, counted, took_ms=self._total_ms(), run=self.context.run_id)
            await self._host.stop()
            if watch.cancelled.is_set():
                return AgentCancelled(execution_time_ms=self._total_ms())
            if budget.run_is_over:
                return failure(RunTooLong("The run took longer than it may."))
            return HandOver(cut=not narrator.out_of_time.is_set())

    def _turn(self, run: RunRow, resumption: Resumption, history: tuple[Message, ...]) -> Turn:
        return Turn(
            context=self.context,
            text=run.text,
            history=history,
            resumed=resumption.messages,
            in_doubt=resumption.in_doubt,
            decisions=resumption.decisions,
            table=self._table,
            clock=self._clock,
        )

    def _total_ms(self) -> int:
        """What the run has taken over all of its engines."""
        return self._spent_ms + self._elapsed_ms()

    def _elapsed_ms(self) -> int:
        return round((self._clock.monotonic() - self._started) * 1000)


@asynccontextmanager
async def _beside(work: Coroutine[Any, Any, T]) -> AsyncIterator[asyncio.Task[T]]:
    """Begins something beside a block that will await it; where the block fails first, it ends with the block."""
    task = asyncio.create_task(work)
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


class _background:  # noqa: N801  reads as a verb phrase
    """Tasks that run beside a block and end with it."""

    def __init__(self, *work: Coroutine[Any, Any, None]) -> None:
        self._work = work
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> list[asyncio.Task[None]]:
        self._tasks = [asyncio.create_task(work) for work in self._work]
        return self._tasks

    async def __aexit__(self, *exc_info: object) -> None:
        for task in self._tasks:
            task.cancel()
        results = await asyncio.gather(*self._tasks, return_exceptions=True)
        for result in results:
            # What failed in the background must not go unseen; a cancelled task is no failure.
            if isinstance(result, Exception) and exc_info[0] is None:
                raise result
