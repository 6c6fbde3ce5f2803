"""What an engine does to its run: begin, end, hand over, ask the user. Each is one transaction with its record."""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import replace
from enum import StrEnum
from typing import Final

from dayfly.agents.sdk.protocol import OpenCall
from dayfly.context.execution import UserExecutionContext
from dayfly.delivery.bridge import WebSocketBridge
from dayfly.engine.time_budget import RunLimits
from dayfly.errors import AgentFailed, RunFailed, StepTooLong, Superseded
from dayfly.log.batch import outcome_of
from dayfly.log.event_payloads import agent_error, approval_requested
from dayfly.log.fold import LogStep, resumption_of
from dayfly.metrics import Metric
from dayfly.protocol.events import AgentCancelled, AgentError, AgentResumed, TerminalPayload
from dayfly.runs.begin import Begin, RunFacts, read_run
from dayfly.runs.end import End, end_at_once, end_run, finish
from dayfly.runs.lease import held_by, not_begun
from dayfly.runs.pause import Pause
from dayfly.runs.resume import OpenAttempt, void_after
from dayfly.runs.writer import RunWriter
from dayfly.store.rows import Outcome
from dayfly.store.table import Matches
from dayfly.text import rfc3339

MOST_APPROVALS: Final = 16
"""Calls of one model response that may wait for the user: together they are one item of the log."""

_log = logging.getLogger("dayfly.engine")


class Continued(StrEnum):
    """An attempt that ended while its run goes on."""

    HANDED_OVER = "handed_over"
    WAITING = "waiting"


AttemptOutcome = Outcome | Continued
"""What an attempt came to: its run's end, or that the run goes on without it."""


class Attempt:
    """The engine's hold on its run. Every step is conditional on the lease, so a superseded engine does none of them
    (`Superseded`)."""

    def __init__(self, run_writer: RunWriter, bridge: WebSocketBridge, facts: RunFacts, limits: RunLimits) -> None:
        self.facts = facts
        self.claim = bridge.opens_with(Begin(run_writer.ports.clock, facts))
        """What this attempt's first append has claimed, once it is committed."""
        self._run_writer = run_writer
        self._bridge = bridge
        self._limits = limits

    @property
    def steps(self) -> tuple[LogStep, ...]:
        """All that the run's log holds so far, by this attempt and those before."""
        return (*self.facts.steps, *self._bridge.steps)

    async def end(self, payload: TerminalPayload) -> Outcome:
        """Ends the run, posts the end, and starts the thread's next run. Raises `Superseded` or `Unsettled`."""
        run_writer = self._run_writer
        end = End(run_writer.ports.table, run=self.facts.run, steps=self._read_steps, lease_is=self._lease_is)
        await finish(run_writer, self._bridge, payload, end)
        return outcome_of(payload)

    async def hand_over(self, *, cut: bool, elapsed_ms: int) -> Continued | AgentError:
        """Opens the next attempt and asks for its engine. With `cut`, a step was broken off: what it has said is void,
        and if the same step was broken off before, the error is returned that the run has to end with."""
        run = self.facts.run
        if cut:
            await self._bridge.discard()
        completed_seq = resumption_of(self.steps).completed_seq
        if cut and run.cut_after == completed_seq:
            return agent_error(StepTooLong("One step takes longer than it may."))
        later = replace(self.facts.run_after(elapsed_ms), cut_after=completed_seq if cut else run.cut_after)
        fence = OpenAttempt(run=run, later=later, lease_is=self._lease_is)
        resumed = AgentResumed(
            attempt=run.attempt + 1, reason="handed_over", discard_after=void_after(self.steps) if cut else None
        )
        committed = await self._bridge.commit(resumed, fence, last=True)
        self._run_writer.ports.meter.add(Metric.RUNS_HANDED_OVER)
        await asyncio.gather(self._run_writer.start_engine(committed.result), self._bridge.broadcast.flush())
        return Continued.HANDED_OVER

    async def ask(self, calls: Sequence[OpenCall], *, elapsed_ms: int) -> AttemptOutcome | AgentError:
        """Asks the user, and leaves the run waiting. Where the run was cancelled meanwhile (whoever cancels may have
        looked before it waited), it is ended; of too many calls comes the error that the run has to end with."""
        if len(calls) > MOST_APPROVALS:
            return agent_error(AgentFailed(f"The agent asked for more than {MOST_APPROVALS} approvals at once."))
        expires = self._run_writer.ports.clock.now_ms() + self._limits.approval_ms
        requests = [
            approval_requested(call.tool_name, call.tool_call_id, call.parameters, expires_at=rfc3339(expires))
            for call in calls
        ]
        pause = Pause(
            run=self.facts.run_after(elapsed_ms),
            lease=self.facts.lease,
            call_ids=tuple(request.tool_call_id for request in requests),
            expires=expires,
            lease_is=self._lease_is,
        )
        paused = (await self._bridge.commit_all(requests, pause, last=True)).result
        self._run_writer.ports.meter.add(Metric.APPROVALS_REQUESTED, len(requests))
        # A mark that is not seen here is honoured by whoever opens the next attempt.
        audience = (await self._bridge.broadcast.flush()).audience
        if audience is None or self.facts.run.run_id not in audience.cancelled:
            return Continued.WAITING
        payload = AgentCancelled(execution_time_ms=self.facts.run_after(elapsed_ms).spent_ms)
        try:
            await end_run(self._run_writer, paused.run, paused.lease, payload)
        except Superseded as reason:
            _log.info("not ended", extra={"run": paused.run.run_id, "reason": str(reason)})
            return Continued.WAITING
        return Outcome.CANCELLED

    def _lease_is(self) -> Matches:
        run = self.facts.run
        return Matches(**(held_by(run, self._bridge.nonce) if self._bridge.opened else not_begun(run)))

    async def _read_steps(self) -> tuple[LogStep, ...]:
        return self.steps


async def refuse(run_writer: RunWriter, context: UserExecutionContext, reason: RunFailed) -> Outcome | None:
    """Ends a run for which no engine can be made with the reason's code, as the first and only record of its attempt,
    so that its user is told instead of kept waiting.

    It does so as an engine would that has nothing else to say: at exactly the attempt's first seq, on condition that no
    engine has claimed the attempt's lease. So a duplicated or late invocation that can make no engine loses like any
    other, and the run stays with whoever holds it: then there is no outcome. Raises `Unsettled`.
    """
    table, payload = run_writer.ports.table, agent_error(reason)
    try:
        facts = await read_run(table, context)

        async def steps() -> tuple[LogStep, ...]:
            return facts.steps

        end = End(table, run=facts.run, steps=steps, lease_is=lambda: Matches(**not_begun(facts.run)))
        committed = await run_writer.append(facts.run, payload, end, next_seq=context.first_seq)
    except Superseded as loss:
        _log.info("not refused", extra={"run": context.run_id, "reason": str(loss)})
        return None
    await end_at_once(run_writer, facts.run, payload, committed)
    return Outcome.FAILED
