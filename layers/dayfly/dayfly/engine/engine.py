"""One run attempt's engine."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Final, TypeVar

from dayfly.agents.sdk.protocol import Agent, Asked, Turn
from dayfly.agents.secrets import RunSecrets
from dayfly.context.claims import read_claims
from dayfly.context.execution import UserExecutionContext
from dayfly.delivery.bridge import WebSocketBridge
from dayfly.engine.agent_host import LAST_GRACE_S, AgentHost
from dayfly.engine.attempt import Attempt, AttemptOutcome
from dayfly.engine.audience_watcher import AudienceWatcher
from dayfly.engine.lease_keeper import LeaseKeeper
from dayfly.engine.narrator import Narrator
from dayfly.engine.periodic_updates import PeriodicUpdateManager
from dayfly.engine.supervision import Supervision
from dayfly.engine.time_budget import RunLimits, TimeBudget
from dayfly.engine.verdict import Conclusion, HandOver, conclude
from dayfly.errors import EngineClosed, IllegalTransition, Superseded
from dayfly.history.reader import read_history
from dayfly.log.fold import Resumption
from dayfly.log.messages import Message
from dayfly.metrics import Metric
from dayfly.protocol.events import AgentError, AgentStarted
from dayfly.protocol.signals import Phase
from dayfly.runs.begin import read_run
from dayfly.runs.writer import RunWriter
from dayfly.store.rows import RunRow

_log = logging.getLogger("dayfly.engine")

T = TypeVar("T")


class EngineState(StrEnum):
    """The life of an engine: `NEW` → `RUNNING` → `ENDED` → `CLOSED`; every state may be closed."""

    NEW = "new"
    RUNNING = "running"
    ENDED = "ended"
    CLOSED = "closed"


_NEXT: Final = {
    EngineState.NEW: {EngineState.RUNNING, EngineState.CLOSED},
    EngineState.RUNNING: {EngineState.ENDED, EngineState.CLOSED},
    EngineState.ENDED: {EngineState.CLOSED},
    EngineState.CLOSED: set[EngineState](),
}


@dataclass(frozen=True, slots=True)
class RunReport:
    """What became of an attempt. `outcome` is `None` where another writer had taken over; with `stuck`, a tool's thread
    could not be stopped and the process must not be used again."""

    outcome: AttemptOutcome | None
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
        run_writer: RunWriter,
        limits: RunLimits,
        secrets: RunSecrets,
        show_reasoning: bool = True,
    ) -> None:
        self.context = context
        self.state = EngineState.NEW
        self._agent = agent
        self._bridge = bridge
        self._updates = updates
        self._host = host
        self._run_writer = run_writer
        self._limits = limits
        self._secrets = secrets
        self._show_reasoning = show_reasoning
        self._table = run_writer.ports.table
        self._clock = run_writer.ports.clock
        self._meter = run_writer.ports.meter
        self._started = self._clock.monotonic()
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
        self._move_to(EngineState.CLOSED)
        if not stopped:
            self._stuck = not await self._host.stop()
        await self._bridge.close()
        self._meter.add(Metric.ENGINES_CLEANED)

    async def run(self) -> RunReport:
        """Runs the attempt to its end, and posts that end: the run's, or that it was handed over or waits.

        Where another writer has taken over, returns without an outcome, and leaves lease, next attempt and end to it.

        Raises:
            EngineClosed: The engine was closed.
            IllegalTransition: It has run before.
            Unsettled: The log could not be reached. The run is then recovered from outside.
        """
        self._move_to(EngineState.RUNNING)
        try:
            outcome: AttemptOutcome | None = await self._attempt()
        except Superseded as reason:
            _log.info("superseded", extra={"run": self.context.run_id, "reason": str(reason)})
            outcome = None
        finally:
            self._stuck = not await self._host.stop(patience_s=LAST_GRACE_S)
            self._move_to(EngineState.ENDED)
        return RunReport(outcome, stuck=self._stuck)

    async def _attempt(self) -> AttemptOutcome:
        watcher = AudienceWatcher(
            self._bridge.broadcast,
            run_id=self.context.run_id,
            phase=lambda: Phase.STARTING,
            elapsed_ms=self._elapsed_ms,
        )
        async with self._bridge:
            # The audience is read before the first append, so that it is published to whoever is there.
            async with _beside(watcher.look()) as looked:
                facts = await read_run(self._table, self.context)
                await looked
            self._spent_ms = facts.run.spent_ms
            attempt = Attempt(self._run_writer, self._bridge, facts, self._limits)
            async with _beside(read_history(self._table, facts.thread)) as history:
                if self.context.attempt == 1:
                    await self._bridge.emit(AgentStarted(message=f"{self.context.agent_name} has started."))
                    self._meter.add(Metric.TIME_TO_FIRST_EVENT, max(0, self._clock.now_ms() - facts.run.admitted))
                conclusion = await self._run_agent(attempt, watcher, history)
            return await self._carry_out(attempt, conclusion)

    async def _run_agent(
        self, attempt: Attempt, watcher: AudienceWatcher, history: Awaitable[tuple[Message, ...]]
    ) -> Conclusion:
        """Runs the agent under supervision, and concludes from its end what has to be done about the run."""
        facts, resumption = attempt.facts, attempt.facts.resumption
        run_left_s = (self._limits.run_ms - facts.run.spent_ms) / 1000
        budget = TimeBudget(self._clock, deadline=self.context.deadline, run_left_s=run_left_s)
        keeper = LeaseKeeper(self._table, self._clock, self._bridge, facts, attempt.claim)
        narrator = Narrator(self._bridge, self._host, budget, hold=keeper.hold, show_reasoning=self._show_reasoning)
        watcher.phase = lambda: narrator.phase
        supervision = Supervision(
            self._host,
            budget,
            keeper=keeper,
            watcher=watcher,
            updates=lambda: self._update(narrator),
            out_of_time=narrator.out_of_time,
            last_word=narrator.last_word,
        )
        async with supervision:  # from here on, since the history may take long to read
            turn = self._turn(facts.run, resumption, await history)
            verdict = await supervision.run(lambda: narrator.drive(self._agent, turn))
            usage = narrator.usage_after(resumption)
            conclusion = conclude(verdict, narrator.answer, usage, took_ms=self._total_ms(), run_id=self.context.run_id)
        if isinstance(conclusion, AgentError):  # its words may be the agent's own
            message = self._secrets.values.redact(conclusion.message)
            return conclusion.model_copy(update={"message": message})
        return conclusion

    async def _carry_out(self, attempt: Attempt, conclusion: Conclusion) -> AttemptOutcome:
        done: AttemptOutcome | AgentError
        match conclusion:
            case HandOver(cut=cut):
                done = await attempt.hand_over(cut=cut, elapsed_ms=self._elapsed_ms())
            case Asked(calls=calls):
                done = await attempt.ask(calls, elapsed_ms=self._elapsed_ms())
            case _:
                return await attempt.end(conclusion)
        return await attempt.end(done) if isinstance(done, AgentError) else done

    async def _update(self, narrator: Narrator) -> None:
        """Sends heartbeats while the agent is silent, until it is cancelled."""
        await self._updates.run(
            silent_since=lambda: self._bridge.last_emitted,
            now=self._clock.monotonic,
            beat=lambda: self._bridge.broadcast.heartbeat(phase=narrator.phase, elapsed_ms=self._elapsed_ms()),
        )

    def _turn(self, run: RunRow, resumption: Resumption, history: tuple[Message, ...]) -> Turn:
        return Turn(
            context=replace(self.context, claims=read_claims(run.claims)),
            text=run.text,
            history=history,
            resumed=resumption.messages,
            in_doubt=resumption.in_doubt,
            decisions=resumption.decisions,
            table=self._table,
            clock=self._clock,
            secrets=self._secrets,
        )

    def _total_ms(self) -> int:
        """What the run has taken over all of its engines."""
        return self._spent_ms + self._elapsed_ms()

    def _elapsed_ms(self) -> int:
        return round((self._clock.monotonic() - self._started) * 1000)

    def _move_to(self, state: EngineState) -> None:
        """Raises `EngineClosed` from a closed engine, `IllegalTransition` for a step that is not there."""
        if state not in _NEXT[self.state]:
            if self.state is EngineState.CLOSED:
                raise EngineClosed("the engine is closed; an engine lives for one run")
            raise IllegalTransition(f"an engine that is {self.state} cannot become {state}")
        self.state = state


@asynccontextmanager
async def _beside(work: Coroutine[Any, Any, T]) -> AsyncIterator[asyncio.Task[T]]:
    """Begins something beside a block that will await it; where the block fails first, it ends with the block."""
    task = asyncio.create_task(work)
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
