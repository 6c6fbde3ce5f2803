"""What recovery does for one run: starts its engine again, resumes it, ends it, or posts its end again."""

import logging
from copy import copy
from dataclasses import replace
from functools import partial
from typing import Final

from dayfly.delivery.background import BackgroundTasks
from dayfly.errors import CouldNotStart, EngineLost, ErrorCode, RunFailed, Superseded
from dayfly.log.event_payloads import agent_error
from dayfly.log.messages import Decision, decisions_in
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
    """The actions of notice and sweep. Each is conditional on the state as read, so if two recoveries act on one run,
    one of them takes effect."""

    def __init__(self, run_writer: RunWriter) -> None:
        """Repeats reads for up to `READS_S`: a notice comes once, the next sweep in a minute."""
        ports = run_writer.ports
        patient = replace(ports, table=RetryingTable(ports.table, READS_S))
        self.run_writer = replace(run_writer, ports=patient)

    def in_background(self, background: BackgroundTasks) -> "RecoveryActions":
        """A copy whose posts run in `background`."""
        other = copy(self)
        other.run_writer = replace(self.run_writer, background=background)
        return other

    async def look_after(self, state: Active | Ended) -> None:
        """Acts on a run whose lease is due, by its state. Raises `Unsettled`."""
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
        """Posts the terminal event again. Drops the lease if all sockets were sent it, or 2 hours after the end: no
        socket lives longer. Raises `Unsettled`."""
        give_up = self.run_writer.ports.clock.now_ms() - state.tail.at >= SOCKET_LIFE_MS
        again = partial(self.run_writer.post_again, state.run, committed_of(state.tail), give_up=give_up)
        await self.run_writer.in_background(again)

    async def start_again(self, state: AwaitingEngine) -> None:
        """Invokes the attempt again with the same `first_seq`, so that of two engines one begins. Ends the run instead
        if it has a cancel mark, or no engine has begun for `START_WITHIN_MS`. Raises `Unsettled`."""
        run, lease = state.run, state.lease
        if await self._end_if_cancelled(state):
            return
        now = self.run_writer.ports.clock.now_ms()
        if now - lease.activated >= START_WITHIN_MS:
            await self._end(state, agent_error(CouldNotStart("No engine could begin the run.")))
            return
        later = replace(lease, due=now + BEGIN_WITHIN_MS, invoked=lease.invoked + 1)
        try:
            await retry_write(self.run_writer.ports.table, Put(later, Matches(**as_read(lease))))
        except ConditionsFailed as failed:
            if failed.found[0] != later:  # else it is this very write, whose answer was lost
                _log.info("not started again: another writer was faster", extra={"run": run.run_id})
                return
        await self.run_writer.start_engine(run)

    async def resume(self, state: Held, reason: RunFailed) -> None:
        """Opens the next attempt, which fences the lost engine off. Ends the run instead if it has a cancel mark, or
        with `reason` if it was resumed `MOST_RESUMES` times. Raises `Unsettled`."""
        run, lease = state.run, state.lease
        if await self._end_if_cancelled(state):
            return
        if run.resumes >= MOST_RESUMES:
            await self._end(state, agent_error(reason))
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
        """Opens the next attempt with the calls denied that the user has not answered in time. Raises `Unsettled`."""
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
        """Ends the run, with `agent_cancelled` if it has a cancel mark, else with `agent_error`; does nothing if
        another writer was faster. Raises `Unsettled`."""
        if not await self._end_if_cancelled(state):
            await self._end(state, agent_error(reason))

    async def _end_if_cancelled(self, state: Active) -> bool:
        """Ends the run if it has a cancel mark. Returns whether it has one."""
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
            _log.error("run ended by recovery", extra={"run": run.run_id, "code": code})
