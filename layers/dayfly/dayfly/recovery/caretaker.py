"""What is done for one run: started again, resumed, ended, or its end posted again."""

import logging
from copy import copy
from dataclasses import replace
from functools import partial
from typing import Final

from dayfly.errors import CouldNotStart, EngineLost, ErrorCode, RunFailed, Superseded
from dayfly.ports.meter import Metric
from dayfly.ports.table import ConditionsFailed, Matches, Put
from dayfly.protocol.events import AgentCancelled, AgentError, TerminalPayload
from dayfly.publisher.closing import end_run
from dayfly.publisher.errands import Errands
from dayfly.publisher.outside import Outside
from dayfly.publisher.patient_table import PatientTable
from dayfly.publisher.payloads import failure
from dayfly.publisher.resuming import open_attempt
from dayfly.publisher.settle import settle
from dayfly.publisher.starting import start_engine
from dayfly.publisher.transcript import committed_of
from dayfly.recovery.standing import READS_S, Standing
from dayfly.runlog import keys
from dayfly.runlog.leasing import BEGIN_WITHIN_MS, as_read
from dayfly.runlog.messages import Decision, decisions_in
from dayfly.runlog.rows import CancelRow, LeaseState

START_WITHIN_MS: Final = 90_000
"""An attempt that no engine has begun this long after it could is the run's last."""
SOCKET_LIFE_MS: Final = 2 * 3600 * 1000
"""Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-execution-service-websocket-limits-table.html"""
MOST_RESUMES: Final = 2
"""Times that recovery resumes one run."""
EXPIRED: Final = "There was no answer in time."

_log = logging.getLogger("dayfly.recovery")


class Caretaker:
    """Carries out what the notice or the sweep has found. Every step is conditional on what was read, so two of them at
    work on one run do it once."""

    def __init__(self, outside: Outside) -> None:
        """`outside`'s table is read with patience from here on."""
        self.outside = replace(outside, table=PatientTable(outside.table, READS_S))

    def keeping(self, errands: Errands) -> "Caretaker":
        """The same, but `errands` run what nobody has to wait for."""
        other = copy(self)
        other.outside = replace(self.outside, errands=errands)
        return other

    async def look_after(self, standing: Standing) -> None:
        """What the sweep does for a run whose lease is due."""
        if standing.ended:
            await self.post_end(standing)
        elif standing.lease.state == LeaseState.APPROVAL:
            await self.expire(standing)
        elif not standing.begun:
            await self.start_again(standing)
        else:
            await self.resume(standing, EngineLost("The engine was lost."))

    async def post_end(self, standing: Standing) -> None:
        """Posts the terminal event again and drops the lease. 2 hours after the end, the longest that a socket lives,
        nobody is left who has not seen it."""
        give_up = self.outside.clock.now_ms() - standing.tail.at >= SOCKET_LIFE_MS
        again = partial(self.outside.post_again, standing.run, committed_of(standing.tail), give_up=give_up)
        await self.outside.see_to(again)

    async def start_again(self, standing: Standing) -> None:
        """Invokes the attempt again, with the same `first_seq`: of two engines that follow one begins. Ends the run
        where it has been tried for long enough, or where that was asked for."""
        run, lease = standing.run, standing.lease
        if await self._end_if_cancelled(standing):
            return
        now = self.outside.clock.now_ms()
        if now - lease.activated >= START_WITHIN_MS:
            await self._end(standing, failure(CouldNotStart("No engine could begin the run.")))
            return
        later = replace(lease, due=now + BEGIN_WITHIN_MS, invoked=lease.invoked + 1)
        try:
            await settle(self.outside.table, Put(later, Matches(**as_read(lease))))
        except ConditionsFailed as failed:
            if failed.found[0] != later:  # else it is this very write, whose answer was lost
                _log.info("somebody else looks after the run", extra={"run": run.run})
                return
        await start_engine(self.outside.invoker, run)

    async def resume(self, standing: Standing, reason: RunFailed) -> None:
        """Fences the lost engine off and has another one go on from the log; ends the run with `reason` where that was
        done often enough, and as cancelled where that was asked for."""
        run, lease = standing.run, standing.lease
        if await self._end_if_cancelled(standing):
            return
        if run.resumes >= MOST_RESUMES:
            await self._end(standing, failure(reason))
            return
        spent = max(0, standing.tail.at - lease.activated)
        later = replace(run, resumes=run.resumes + 1, spent_ms=run.spent_ms + spent)
        try:
            await open_attempt(self.outside, run, lease, "engine_lost", later=later)
        except Superseded as faster:
            _log.info("not resumed", extra={"run": run.run, "reason": str(faster)})
            return
        self.outside.meter.add(Metric.RUNS_RESUMED)
        _log.warning("run resumed", extra={"run": run.run, "code": reason.code})

    async def expire(self, standing: Standing) -> None:
        """Has the run go on with those calls denied that the user has not answered in time."""
        run = standing.run
        if await self._end_if_cancelled(standing):
            return
        denied = (Decision(call, approved=False, reason=EXPIRED) for call in run.pending)
        decisions = (*decisions_in(run.answers), *denied)
        try:
            await open_attempt(self.outside, run, standing.lease, "expired", decisions=decisions)
        except Superseded as faster:
            _log.info("not expired", extra={"run": run.run, "reason": str(faster)})

    async def end(self, standing: Standing, reason: RunFailed) -> None:
        """Ends the run, unless somebody who looks after it was faster: with `agent_cancelled` where that was asked for,
        else with an `agent_error`."""
        if not await self._end_if_cancelled(standing):
            await self._end(standing, failure(reason))

    async def _end_if_cancelled(self, standing: Standing) -> bool:
        """Whether the run has a cancel mark, which is honoured before anything else."""
        run = standing.run
        mark = keys.cancel_mark_key(run.user, run.thread, run.run)
        if await self.outside.table.get(mark, CancelRow) is None:
            return False
        took_ms = max(0, self.outside.clock.now_ms() - run.admitted)
        await self._end(standing, AgentCancelled(execution_time_ms=took_ms))
        return True

    async def _end(self, standing: Standing, payload: TerminalPayload) -> None:
        run = standing.run
        try:
            ended = await end_run(self.outside, run, standing.lease, payload)
        except Superseded as faster:
            _log.info("not ended", extra={"run": run.run, "reason": str(faster)})
            return
        if ended:
            code = payload.code if isinstance(payload, AgentError) else ErrorCode.CANCELLED
            _log.error("run ended from outside", extra={"run": run.run, "code": code})
