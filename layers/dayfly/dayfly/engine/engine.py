"""One run attempt's engine."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

from dayfly.agents.protocol import Agent, Turn
from dayfly.context.execution import UserExecutionContext
from dayfly.engine.agent_host import AgentHost
from dayfly.engine.beginning import Beginning
from dayfly.engine.lease_keeper import LeaseKeeper
from dayfly.engine.narrator import Narrator
from dayfly.engine.periodic_updates import PeriodicUpdateManager
from dayfly.engine.reading import RunFacts, read_history, read_run
from dayfly.engine.state import EngineState, moved
from dayfly.engine.verdict import verdict_on
from dayfly.engine.watch import Watch
from dayfly.errors import EngineTimeout, Superseded
from dayfly.ports.clock import Clock
from dayfly.ports.meter import Meter, Metric
from dayfly.ports.table import Matches, Table
from dayfly.protocol.events import AgentCancelled, AgentError, AgentStarted, TerminalPayload
from dayfly.publisher.batch import outcome_of
from dayfly.publisher.bridge import WebSocketBridge
from dayfly.publisher.ending import Ending
from dayfly.publisher.finish import finish
from dayfly.runlog.history import Step
from dayfly.runlog.messages import Message
from dayfly.runlog.status import Outcome

_log = logging.getLogger("dayfly.engine")

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class RunReport:
    """What became of an attempt. `outcome` is `None` where another writer had taken over; with `stuck`, a tool's thread
    could not be stopped and the process must not be used again."""

    outcome: Outcome | None
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
        table: Table,
        clock: Clock,
        meter: Meter,
    ) -> None:
        self.context = context
        self.state = EngineState.NEW
        self._agent = agent
        self._bridge = bridge
        self._updates = updates
        self._host = host
        self._table = table
        self._clock = clock
        self._meter = meter
        self._started = clock.monotonic()
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
        """Runs the attempt to its end, and posts that end.

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
            self._stuck = not await self._host.stop()
            self.state = moved(self.state, EngineState.ENDED)
        return RunReport(outcome, stuck=self._stuck)

    async def _attempt(self) -> Outcome | None:
        narrator = Narrator(self._bridge, self._host)
        watch = Watch(
            self._bridge.delivery,
            run=self.context.run_id,
            phase=lambda: narrator.phase,
            elapsed_ms=self._elapsed_ms,
        )
        async with self._bridge:
            # The audience is read before the first append, so that it is published to whoever is there.
            async with _beside(watch.look()) as looked:
                facts = await read_run(self._table, self.context)
                await looked
            async with _beside(read_history(self._table, facts.thread)) as history:
                await self._begin(facts)
                keeper = LeaseKeeper(self._table, self._clock, facts.lease, nonce=self._bridge.nonce)
                payload = await self._live(narrator, watch, keeper, facts, history)
            ending = Ending(
                self._table,
                self._clock,
                run=facts.run,
                steps=self._steps,
                lease_is=Matches(nonce=self._bridge.nonce, first_seq=facts.run.first_seq),
            )
            if await finish(self._bridge, payload, ending, self._meter):
                await keeper.drop()
            return outcome_of(payload)

    async def _begin(self, facts: RunFacts) -> None:
        beginning = Beginning(run=facts.run, thread=facts.thread, lease=facts.lease)
        await self._bridge.commit(AgentStarted(message=f"{self.context.agent_name} has started."), beginning)
        self._meter.add(Metric.TIME_TO_FIRST_EVENT, max(0, self._clock.now_ms() - facts.run.admitted))

    async def _live(
        self,
        narrator: Narrator,
        watch: Watch,
        keeper: LeaseKeeper,
        facts: RunFacts,
        history: Awaitable[tuple[Message, ...]],
    ) -> TerminalPayload:
        """Lets the agent run until it ends, is cancelled, runs out of time, or another takes over. The lease is kept
        from the start, also while the history is still being read."""
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
            turn = Turn(
                context=self.context,
                text=facts.run.text,
                history=await history,
                table=self._table,
                clock=self._clock,
            )
            self._host.start(lambda: narrator.drive(self._agent, turn))
            ended = asyncio.ensure_future(self._host.wait())
            # Where the agent is stopped below, its end is nobody's news; without this the loop would complain.
            ended.add_done_callback(lambda done: done.cancelled() or done.exception())
            signals = [ended, asyncio.ensure_future(watch.cancelled.wait()), asyncio.ensure_future(lost.wait())]
            remaining = self.context.deadline - self._clock.monotonic()
            try:
                await asyncio.wait(
                    [*signals, *background], timeout=max(0.0, remaining), return_when=asyncio.FIRST_COMPLETED
                )
            finally:
                for signal in signals[1:]:
                    signal.cancel()
            for task in background:
                if task.done() and not lost.is_set():
                    task.result()  # raises: a run that nobody watches or keeps must not go on
            if lost.is_set():
                raise Superseded("the lease is another's")
            if ended.done():
                return verdict_on(ended, narrator.answer, elapsed_ms=self._elapsed_ms(), run=self.context.run_id)
            await self._host.stop()
            if watch.cancelled.is_set():
                return AgentCancelled(execution_time_ms=self._elapsed_ms())
            return AgentError(
                code=EngineTimeout.code, message="The run took longer than it may.", retryable=EngineTimeout.retryable
            )

    async def _steps(self) -> tuple[Step, ...]:
        return tuple(self._bridge.steps)

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
