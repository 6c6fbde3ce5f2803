"""What an engine does to its run: begin, end, hand over, wait for the user. Each is one transaction with its record."""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from dayfly.agents.sdk.protocol import OpenCall
from dayfly.delivery.bridge import WebSocketBridge
from dayfly.delivery.flush import flush
from dayfly.engine.limits import RunLimits
from dayfly.engine.reading import RunFacts
from dayfly.errors import AgentFailed, IllegalTransition, StepTooLong, Superseded
from dayfly.log.batch import outcome_of
from dayfly.log.fold import LogStep
from dayfly.log.payloads import approval, failure
from dayfly.log.resumption import resumption_of
from dayfly.log.status import Outcome
from dayfly.metrics import Metric
from dayfly.protocol.events import AgentCancelled, AgentError, AgentResumed, TerminalPayload
from dayfly.runs.begin import Begin
from dayfly.runs.closing import end_run
from dayfly.runs.end import End
from dayfly.runs.fence import OpenAttempt
from dayfly.runs.finish import finish
from dayfly.runs.lease import held_by, not_begun
from dayfly.runs.pause import Pause
from dayfly.runs.resume import void_after
from dayfly.runs.starting import start_engine
from dayfly.runs.writer import RunWriter
from dayfly.store.table import Matches
from dayfly.text import rfc3339

MOST_APPROVALS: Final = 16
"""Calls of one model response that may wait for the user: together they are one item of the log."""

_log = logging.getLogger("dayfly.engine")


class Attempt:
    """The engine's hold on its run. Every step is conditional on the lease, so a superseded engine does none of them
    (`Superseded`)."""

    def __init__(self, run_writer: RunWriter, bridge: WebSocketBridge, facts: RunFacts, limits: RunLimits) -> None:
        self.facts = facts
        self.beginning = Begin(run_writer.clock, run=facts.run, thread=facts.thread, lease=facts.lease)
        self._run_writer = run_writer
        self._bridge = bridge
        self._limits = limits
        bridge.opens_with(self.beginning)

    @property
    def steps(self) -> tuple[LogStep, ...]:
        """All that the run's log holds so far, by this attempt and those before."""
        return (*self.facts.steps, *self._bridge.steps)

    async def end(self, payload: TerminalPayload) -> Outcome | None:
        """Ends the run, and sees the end off."""
        run_writer = self._run_writer
        ending = End(run_writer.table, run=self.facts.run, steps=self._read_steps, lease_is=self._lease_is)
        await finish(run_writer, self._bridge, payload, ending)
        return outcome_of(payload)

    async def hand_over(self, *, cut: bool, elapsed_ms: int) -> AgentError | None:
        """Opens the next attempt and asks for its engine. With `cut`, a step was broken off: what it has said is void,
        and if the same step was broken off before, the error is returned that the run has to end with."""
        run = self.facts.run
        if cut:
            await self._bridge.discard()
        completed = resumption_of(self.steps).completed
        if cut and run.cut_after == completed:
            return failure(StepTooLong("One step takes longer than it may."))
        later = replace(self.facts.run_after(elapsed_ms), cut_after=completed if cut else run.cut_after)
        fence = OpenAttempt(run, lease_is=self._lease_is, later=later)
        resumed = AgentResumed(
            attempt=run.attempt + 1, reason="handed_over", discard_after=void_after(self.steps) if cut else None
        )
        await self._bridge.commit(resumed, fence, last=True)
        self._run_writer.meter.add(Metric.RUNS_HANDED_OVER)
        if fence.opened is None:
            raise IllegalTransition("a fence was committed without its transaction")
        await asyncio.gather(start_engine(self._run_writer.invoker, fence.opened), flush(self._bridge.delivery))
        return None

    async def ask(self, calls: Sequence[OpenCall], *, elapsed_ms: int) -> Outcome | AgentError | None:
        """Asks the user, and leaves the run waiting. Returns the outcome where the run was cancelled meanwhile (whoever
        cancels may have looked before it waited), or the error that the run has to end with."""
        if len(calls) > MOST_APPROVALS:
            return failure(AgentFailed(f"The agent asked for more than {MOST_APPROVALS} approvals at once."))
        expires = self._run_writer.clock.now_ms() + self._limits.approval_ms
        requests = [
            approval(call.tool_name, call.tool_call_id, call.parameters, expires_at=rfc3339(expires)) for call in calls
        ]
        pause = Pause(
            self.facts.run_after(elapsed_ms),
            self.facts.lease,
            calls=[request.tool_call_id for request in requests],
            expires=expires,
            lease_is=self._lease_is,
        )
        await self._bridge.commit_all(requests, pause, last=True)
        self._run_writer.meter.add(Metric.APPROVALS_REQUESTED, len(requests))
        # A mark that is not seen here is honoured by whoever opens the next attempt.
        audience = (await flush(self._bridge.delivery)).audience
        if audience is None or self.facts.run.run_id not in audience.cancelled:
            return None
        payload = AgentCancelled(execution_time_ms=self.facts.run_after(elapsed_ms).spent_ms)
        try:
            await end_run(self._run_writer, pause.run, pause.lease, payload)
        except Superseded as reason:
            _log.info("not ended", extra={"run": pause.run.run_id, "reason": str(reason)})
            return None
        return Outcome.CANCELLED

    def _lease_is(self) -> Matches:
        run = self.facts.run
        return Matches(**(held_by(run, self._bridge.nonce) if self._bridge.opened else not_begun(run)))

    async def _read_steps(self) -> tuple[LogStep, ...]:
        return self.steps
