"""What is done for one run: started again, ended, or its end posted again."""

import logging
from dataclasses import replace
from typing import Final

from dayfly.errors import CouldNotStart, EngineLost, PortError, RunFailed, Superseded
from dayfly.ports.invoker import EngineCall, Invoker
from dayfly.ports.table import ConditionsFailed, Matches, Put
from dayfly.protocol.events import AgentCancelled, AgentError, TerminalPayload
from dayfly.publisher.outside import Outside
from dayfly.publisher.patient_table import PatientTable
from dayfly.publisher.settle import settle
from dayfly.publisher.transcript import committed_of
from dayfly.recovery.standing import READS_S, Standing
from dayfly.runlog import keys
from dayfly.runlog.rows import CancelRow, LeaseState

START_WITHIN_MS: Final = 90_000
"""A run that no engine has begun this long after it became active is ended."""
RETRY_MS: Final = 10_000
"""How long a new invocation has to begin."""
SOCKET_LIFE_MS: Final = 2 * 3600 * 1000
"""Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-execution-service-websocket-limits-table.html"""
MOST_NOTICED_STARTS: Final = 3
"""Invocations of one attempt that may fail before they begin, until the run is ended."""

_log = logging.getLogger("dayfly.recovery")


class Caretaker:
    """Carries out what the notice or the sweep has found. Every step is conditional on what was read, so two of them at
    work on one run do it once."""

    def __init__(self, outside: Outside, invoker: Invoker) -> None:
        """`outside`'s table is read with patience from here on."""
        self._outside = replace(outside, table=PatientTable(outside.table, READS_S))
        self._invoker = invoker

    async def post_end(self, standing: Standing) -> None:
        """Posts the terminal event again and drops the lease. After 2 hours, the longest that a socket lives, nobody is
        left who has not seen it."""
        give_up = self._outside.clock.now_ms() - standing.lease.activated >= SOCKET_LIFE_MS
        await self._outside.post_again(standing.run, committed_of(standing.tail), give_up=give_up)

    async def start_again(self, standing: Standing) -> None:
        """Invokes the attempt again, with the same `first_seq`: of two engines that follow one begins."""
        run, lease = standing.run, standing.lease
        now = self._outside.clock.now_ms()
        if now - lease.activated >= START_WITHIN_MS:
            await self.end(standing, CouldNotStart("No engine could begin the run."))
            return
        later = replace(lease, due=now + RETRY_MS, invoked=lease.invoked + 1)
        try:
            await settle(
                self._outside.table, Put(later, Matches(state=LeaseState.WAITING, due=lease.due, invoked=lease.invoked))
            )
        except ConditionsFailed as failed:
            if failed.found[0] != later:  # else it is this very write, whose answer was lost
                _log.info("somebody else looks after the run", extra={"run": run.run})
                return
        try:
            await self._invoker.start(EngineCall.of(run))
        except PortError as error:
            _log.warning("engine not invoked", extra={"run": run.run, "reason": str(error)})

    async def end(self, standing: Standing, reason: RunFailed) -> None:
        """Ends the run, unless somebody who looks after it was faster: with `agent_cancelled` where that was asked for,
        else with an `agent_error`."""
        run = standing.run
        payload: TerminalPayload = AgentError(code=reason.code, message=str(reason), retryable=reason.retryable)
        if await self._outside.table.get(keys.cancel_mark_key(run.user, run.thread, run.run), CancelRow) is not None:
            payload = AgentCancelled(execution_time_ms=max(0, self._outside.clock.now_ms() - run.admitted))
        try:
            ended = await self._outside.end(run, standing.lease, payload)
        except Superseded as faster:
            _log.info("not ended", extra={"run": run.run, "reason": str(faster)})
            return
        if ended:
            _log.error("run ended from outside", extra={"run": run.run, "code": reason.code})

    async def look_after(self, standing: Standing) -> None:
        """What the sweep does for a run whose lease is due."""
        if standing.ended:
            await self.post_end(standing)
        elif not standing.begun:
            await self.start_again(standing)
        else:
            await self.end(standing, EngineLost("The engine was lost."))
