"""Opens executions: admits a run once for each request id."""

import hashlib
import json
import logging
from dataclasses import dataclass
from typing import Final

from dayfly.context.caller import Caller
from dayfly.context.ids import new_run_id, new_thread_id
from dayfly.context.run_ref import RunRef
from dayfly.delivery.sockets import attachment
from dayfly.errors import IdReused, RequestCancelled, ThreadNotFound
from dayfly.log.reader import tail_of
from dayfly.log.writer import Committed
from dayfly.metrics import Metric
from dayfly.protocol.events import UserMessage
from dayfly.protocol.frames import Run
from dayfly.runs.admit import FIRST_ENGINE_SEQ, Admission, Admit, Found, RequestKnown, ThreadMoved, look
from dayfly.runs.lookup import live_thread, run_of
from dayfly.runs.ports import Ports
from dayfly.runs.queue import position_of
from dayfly.runs.state import RunStatus, status_of
from dayfly.runs.writer import RunWriter
from dayfly.store import keys
from dayfly.store.retry import retry_write
from dayfly.store.rows import RequestRow, RequestState, RunRow, ThreadRow, ThreadState
from dayfly.store.table import Check, ConditionsFailed, Matches, Put

DEFAULT_AGENT: Final = "assistant"

_log = logging.getLogger("dayfly.runs")


@dataclass(frozen=True, slots=True, kw_only=True)
class Execution:
    """An admitted run.

    Attributes:
        first: Its first log record, not posted yet; `None` if an earlier request with the same id admitted the run.
        position: Its place in the queue, from 1; `None` if it is not queued.
        starts: Whether it is active and no engine has begun it.
        interrupted: The run that it interrupts, to be ended if it has a cancel mark.
        changed: The thread, if its list entry has changed.
    """

    run: RunRow
    status: RunStatus
    first: Committed[Admission] | None
    position: int | None = None
    starts: bool = False
    interrupted: str | None = None
    changed: ThreadRow | None = None


class ExecutionFactory:
    """Admits runs for an authorised caller. Process-lived; holds no user data."""

    def __init__(self, ports: Ports) -> None:
        self._ports = ports

    async def open(self, caller: Caller, frame: Run) -> Execution:
        """Admits the run, or returns the one that this request id has admitted before.

        One transaction writes the request id, the thread, the run, its first log record, its lease, the user's quota
        and the sender's attachment.

        Raises:
            ThreadNotFound: There is no such thread, or it was forgotten.
            Busy: The thread has a run under way, and `if_busy` is `reject`.
            QueueFull: The thread's queue is full.
            QuotaExceeded: The user has too many runs at once, or within a minute.
            IdReused: The request id was used for another message.
            RequestCancelled: The request id was cancelled before.
            Unsettled: The table did not answer; the same request may be sent again.
        """
        content = content_hash(frame)
        while True:
            try:
                return await self._admit(caller, frame, content)
            except ThreadMoved:
                _log.info("admission repeated", extra={"thread_id": frame.thread_id})

    async def _admit(self, caller: Caller, frame: Run, content: str) -> Execution:
        table = self._ports.table
        found = await look(table, caller, frame)
        if found.request is not None and found.request.expires * 1000 > self._ports.clock.now_ms():
            return await self._again(caller, found.request, content)
        run = self._new_run(caller, frame, found)
        admit = Admit(table, caller, frame, run=run, content=content, found=found)
        run_writer = RunWriter(ports=self._ports, invocation_id=caller.invocation_id)
        message = UserMessage(text=frame.text, request_id=frame.id)
        try:
            committed = await run_writer.append(run, message, admit, next_seq=1)
        except RequestKnown as earlier:
            return await self._again(caller, earlier.request, content)
        self._ports.meter.add(Metric.RUNS_ADMITTED)
        admission = committed.result
        position = position_of(admission.thread, run.run_id)
        return Execution(
            run=admission.run,
            status=RunStatus.RUNNING if position is None else RunStatus.QUEUED,
            first=committed,
            position=position,
            starts=position is None,
            interrupted=admission.interrupted,
            changed=admission.thread if frame.thread_id is None or position is not None else None,
        )

    def _new_run(self, caller: Caller, frame: Run, found: Found) -> RunRow:
        # Ids sort by time; within a thread they also sort by turn, whatever the clocks of two routers say.
        now = max(self._ports.clock.now_ms(), found.thread.updated + 1 if found.thread else 0)
        return RunRow(
            ref=RunRef(
                user_id=caller.user_id,
                tenant_id=caller.tenant_id,
                thread_id=frame.thread_id or new_thread_id(now),
                run_id=new_run_id(now),
            ),
            request_id=frame.id,
            agent_name=frame.agent or DEFAULT_AGENT,
            text=frame.text,
            turn=0,
            admitted=now,
            first_seq=FIRST_ENGINE_SEQ,
            claims=caller.claims,
        )

    async def _again(self, caller: Caller, earlier: RequestRow, content: str) -> Execution:
        """The answer to a request id that is known: the original run, with the sender attached to it."""
        if earlier.state == RequestState.CANCELLED or earlier.run_id is None or earlier.thread_id is None:
            raise RequestCancelled("The run was cancelled before it was admitted.")
        if earlier.content != content:
            raise IdReused("This id was used for another message within 24 hours.")
        ports = self._ports
        there = Check(keys.thread_key(caller.user_id, earlier.thread_id), Matches(state=ThreadState.LIVE))
        try:
            await retry_write(ports.table, Put(attachment(caller, earlier.thread_id, now=ports.clock.now_ms())), there)
        except ConditionsFailed as failed:
            raise ThreadNotFound("The thread was forgotten.") from failed
        thread = await live_thread(ports.table, user_id=caller.user_id, thread_id=earlier.thread_id)
        run = await run_of(ports.table, user_id=caller.user_id, run_id=earlier.run_id)
        tail = await tail_of(ports.table, user_id=caller.user_id, run_id=earlier.run_id)
        position = position_of(thread, run.run_id)
        return Execution(
            run=run,
            status=status_of(tail, queued=position is not None),
            first=None,
            position=position,
            starts=thread.active_run == run.run_id and tail is not None and tail.last < run.first_seq,
            # The router that admitted it may have died before it ended the run that is interrupted.
            interrupted=thread.active_run if position is not None and position <= thread.interrupts else None,
        )


def content_hash(frame: Run) -> str:
    """SHA-256 of what makes two requests the same: text, thread as sent, agent and `if_busy`."""
    facts = [frame.text, frame.thread_id, frame.agent, frame.if_busy]
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()
