"""What is done for one run: started again, resumed, ended, or its end posted again."""

import logging
from copy import copy
from dataclasses import replace
from functools import partial
from typing import Final

from dayfly.delivery.background import BackgroundTasks
from dayfly.errors import CouldNotStart, EngineLost, ErrorCode, RunFailed, Superseded
from dayfly.log.messages import Decision, decisions_in
from dayfly.log.payloads import failure
from dayfly.log.reader import committed_of
from dayfly.metrics import Metric
from dayfly.protocol.events import AgentError, TerminalPayload
from dayfly.runs.end import cancelled_now, end_run
from dayfly.runs.lease import BEGIN_WITHIN_MS, as_read
from dayfly.runs.resume import open_attempt
from dayfly.runs.state import Active, AwaitingApproval, AwaitingEngine, Ended, Held
from dayfly.runs.writer import RunWriter
from dayfly.store import keys
from dayfly.store.retry import RetryingTable, retry_write
from dayfly.store.rows import CancelRow
from dayfly.store.table import ConditionsFailed, Matches, Put

START_WITHIN_MS: Final = 90_000
"""An attempt that no engine has begun this long after it could is the run's last."""
SOCKET_LIFE_MS: Final = 2 * 3600 * 1000
"""Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-execution-service-websocket-limits-table.html"""
MOST_RESUMES: Final = 2
"""Times that recovery resumes one run."""
READS_S: Final = 5.0
"""How long recovery repeats one read."""
EXPIRED: Final = "There was no answer in time."

_log = logging.getLogger("dayfly.recovery")


class RecoveryActions:
    """Carries out what the notice or the sweep has found. Every step is conditional on what was read, so two of them at
    work on one run do it once."""

    def __init__(self, run_writer: RunWriter) -> None:
        """The table is read with patience from here on: a notice comes once, a sweep in a minute."""
        ports = run_writer.ports
        patient = replace(ports, table=RetryingTable(ports.table, READS_S))
        self.run_writer = replace(run_writer, ports=patient)

    def in_background(self, background: BackgroundTasks) -> "RecoveryActions":
        """The same, but `background` runs what nobody has to wait for."""
        other = copy(self)
        other.run_writer = replace(self.run_writer, background=background)
        return other

    async def look_after(self, state: Active | Ended) -> None:
        """What the sweep does for a run whose lease is due."""
        match state:
            case Ended():
                await self.post_end(state)
            case AwaitingApproval():
                await self.expire(state)
            case AwaitingEngine():
                await self.start_again(state)
            case Held():
                await self.resume(state, EngineLost("The engine was lost."))

    async def post_end(self, state: Ended) -> None:
        """Posts the terminal event again and drops the lease. 2 hours after the end, the longest that a socket lives,
        nobody is left who has not seen it."""
        give_up = self.run_writer.ports.clock.now_ms() - state.tail.at >= SOCKET_LIFE_MS
        again = partial(self.run_writer.post_again, state.run, committed_of(state.tail), give_up=give_up)
        await self.run_writer.in_background(again)

    async def start_again(self, state: AwaitingEngine) -> None:
        """Invokes the attempt again, with the same `first_seq`: of two engines that follow one begins. Ends the run
        where it has been tried for long enough, or where that was asked for."""
        run, lease = state.run, state.lease
        if await self._end_if_cancelled(state):
            return
        now = self.run_writer.ports.clock.now_ms()
        if now - lease.activated >= START_WITHIN_MS:
            await self._end(state, failure(CouldNotStart("No engine could begin the run.")))
            return
        later = replace(lease, due=now + BEGIN_WITHIN_MS, invoked=lease.invoked + 1)
        try:
            await retry_write(self.run_writer.ports.table, Put(later, Matches(**as_read(lease))))
        except ConditionsFailed as failed:
            if failed.found[0] != later:  # else it is this very write, whose answer was lost
                _log.info("somebody else looks after the run", extra={"run": run.run_id})
                return
        await self.run_writer.start_engine(run)

    async def resume(self, state: Held, reason: RunFailed) -> None:
        """Fences the lost engine off and has another one go on from the log; ends the run with `reason` where that was
        done often enough, and as cancelled where that was asked for."""
        run, lease = state.run, state.lease
        if await self._end_if_cancelled(state):
            return
        if run.resumes >= MOST_RESUMES:
            await self._end(state, failure(reason))
            return
        spent = max(0, state.tail.at - lease.activated)
        later = replace(run, resumes=run.resumes + 1, spent_ms=run.spent_ms + spent)
        try:
            await open_attempt(self.run_writer, run, lease, "engine_lost", later=later)
        except Superseded as faster:
            _log.info("not resumed", extra={"run": run.run_id, "reason": str(faster)})
            return
        self.run_writer.ports.meter.add(Metric.RUNS_RESUMED)
        _log.warning("run resumed", extra={"run": run.run_id, "code": reason.code})

    async def expire(self, state: AwaitingApproval) -> None:
        """Has the run go on with those calls denied that the user has not answered in time."""
        run = state.run
        if await self._end_if_cancelled(state):
            return
        denied = (Decision(call, approved=False, reason=EXPIRED) for call in run.pending)
        decisions = (*decisions_in(run.answers), *denied)
        try:
            await open_attempt(self.run_writer, run, state.lease, "expired", decisions=decisions)
        except Superseded as faster:
            _log.info("not expired", extra={"run": run.run_id, "reason": str(faster)})

    async def end(self, state: Active, reason: RunFailed) -> None:
        """Ends the run, unless somebody who looks after it was faster: with `agent_cancelled` where that was asked for,
        else with an `agent_error`."""
        if not await self._end_if_cancelled(state):
            await self._end(state, failure(reason))

    async def _end_if_cancelled(self, state: Active) -> bool:
        """Whether the run has a cancel mark, which is honoured before anything else."""
        run = state.run
        mark = keys.cancel_mark_key(run.user_id, run.thread_id, run.run_id)
        if await self.run_writer.ports.table.get(mark, CancelRow) is None:
            return False
        await self._end(state, cancelled_now(self.run_writer, run))
        return True

    async def _end(self, state: Active, payload: TerminalPayload) -> None:
        run = state.run
        try:
            ended = await end_run(self.run_writer, run, state.lease, payload)
        except Superseded as faster:
            _log.info("not ended", extra={"run": run.run_id, "reason": str(faster)})
            return
        if ended:
            code = payload.code if isinstance(payload, AgentError) else ErrorCode.CANCELLED
            _log.error("run ended from outside", extra={"run": run.run_id, "code": code})
