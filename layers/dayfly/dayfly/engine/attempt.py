"""What an engine does to its run: begin, end, hand over, wait for the user. Each is one transaction with its record."""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from dayfly.agents.protocol import OpenCall
from dayfly.engine.beginning import Beginning
from dayfly.engine.limits import RunLimits
from dayfly.engine.pausing import Pause
from dayfly.engine.reading import RunFacts
from dayfly.errors import AgentFailed, IllegalTransition, StepTooLong, Superseded
from dayfly.ports.meter import Metric
from dayfly.ports.table import Matches
from dayfly.protocol.events import AgentCancelled, AgentError, AgentResumed, TerminalPayload
from dayfly.publisher.batch import outcome_of
from dayfly.publisher.bridge import WebSocketBridge
from dayfly.publisher.closing import end_run
from dayfly.publisher.ending import Ending
from dayfly.publisher.fence import Fence
from dayfly.publisher.finish import finish
from dayfly.publisher.outside import Outside
from dayfly.publisher.payloads import approval, failure
from dayfly.publisher.resuming import void_after
from dayfly.publisher.seeing_off import see_off
from dayfly.publisher.starting import start_engine
from dayfly.publisher.timestamps import rfc3339
from dayfly.runlog.history import Step
from dayfly.runlog.leasing import held_by, not_begun
from dayfly.runlog.resumption import resumption_of
from dayfly.runlog.status import Outcome

MOST_APPROVALS: Final = 16
"""Calls of one model response that may wait for the user: together they are one item of the log."""

_log = logging.getLogger("dayfly.engine")


class Attempt:
    """The engine's hold on its run. Every step is conditional on the lease, so a superseded engine does none of them
    (`Superseded`)."""

    def __init__(self, outside: Outside, bridge: WebSocketBridge, facts: RunFacts, limits: RunLimits) -> None:
        self.facts = facts
        self.beginning = Beginning(outside.clock, run=facts.run, thread=facts.thread, lease=facts.lease)
        self._outside = outside
        self._bridge = bridge
        self._limits = limits
        bridge.opens_with(self.beginning)

    @property
    def steps(self) -> tuple[Step, ...]:
        """All that the run's log holds so far, by this attempt and those before."""
        return (*self.facts.steps, *self._bridge.steps)

    async def end(self, payload: TerminalPayload) -> Outcome | None:
        """Ends the run, and sees the end off."""
        outside = self._outside
        ending = Ending(outside.table, run=self.facts.run, steps=self._read_steps, lease_is=self._lease_is)
        await finish(outside, self._bridge, payload, ending)
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
        fence = Fence(run, lease_is=self._lease_is, later=later)
        resumed = AgentResumed(
            attempt=run.attempt + 1, reason="handed_over", discard_after=void_after(self.steps) if cut else None
        )
        await self._bridge.commit(resumed, fence, last=True)
        self._outside.meter.add(Metric.RUNS_HANDED_OVER)
        if fence.opened is None:
            raise IllegalTransition("a fence was committed without its transaction")
        await asyncio.gather(start_engine(self._outside.invoker, fence.opened), see_off(self._bridge.delivery))
        return None

    async def ask(self, calls: Sequence[OpenCall], *, elapsed_ms: int) -> Outcome | AgentError | None:
        """Asks the user, and leaves the run waiting. Returns the outcome where the run was cancelled meanwhile (whoever
        cancels may have looked before it waited), or the error that the run has to end with."""
        if len(calls) > MOST_APPROVALS:
            return failure(AgentFailed(f"The agent asked for more than {MOST_APPROVALS} approvals at once."))
        expires = self._outside.clock.now_ms() + self._limits.approval_ms
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
        self._outside.meter.add(Metric.APPROVALS_REQUESTED, len(requests))
        # A mark that is not seen here is honoured by whoever opens the next attempt.
        audience = (await see_off(self._bridge.delivery)).audience
        if audience is None or self.facts.run.run not in audience.cancelled:
            return None
        payload = AgentCancelled(execution_time_ms=self.facts.run_after(elapsed_ms).spent_ms)
        try:
            await end_run(self._outside, pause.run, pause.lease, payload)
        except Superseded as reason:
            _log.info("not ended", extra={"run": pause.run.run, "reason": str(reason)})
            return None
        return Outcome.CANCELLED

    def _lease_is(self) -> Matches:
        run = self.facts.run
        return Matches(**(held_by(run, self._bridge.nonce) if self._bridge.opened else not_begun(run)))

    async def _read_steps(self) -> tuple[Step, ...]:
        return self.steps
