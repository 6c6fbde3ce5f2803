"""Opens executions: lets a run in, once, however often it is asked for."""

import hashlib
import json
import logging
from dataclasses import dataclass
from typing import Final

from dayfly.admission.caller import Caller
from dayfly.admission.entry import FIRST_ENGINE_SEQ, Entry, Found, Known, attached, look
from dayfly.admission.services import Services
from dayfly.context.ids import new_run_id, new_thread_id
from dayfly.errors import IdReused, RequestCancelled, Unsettled
from dayfly.ports.invoker import EngineCall
from dayfly.ports.meter import Metric
from dayfly.ports.table import Put
from dayfly.protocol.events import UserMessage
from dayfly.protocol.frames import Run
from dayfly.protocol.signals import Phase
from dayfly.publisher.bridge import WebSocketBridge
from dayfly.publisher.settle import settle
from dayfly.publisher.transcript import tail_of
from dayfly.runlog.rows import RequestRow, RequestState, RunRow
from dayfly.runlog.status import Outcome, RunStatus, status_of

DEFAULT_AGENT: Final = "assistant"

_log = logging.getLogger("dayfly.admission")


@dataclass(frozen=True, slots=True, kw_only=True)
class Execution:
    """An admitted run. `duplicate`: an earlier request of the same id admitted it. `begun`: an engine has it."""

    thread: str
    run: str
    status: RunStatus
    duplicate: bool
    begun: bool
    call: EngineCall


class ExecutionFactory:
    """Admits runs for an authorised caller. Process-lived; holds nothing of any user."""

    def __init__(self, services: Services) -> None:
        self._services = services

    async def open(self, caller: Caller, frame: Run) -> Execution:
        """Admits the run, or finds the one that this request id has admitted before.

        One transaction writes the request id, the thread, the run, its first log record, its lease, the user's quota
        and the sender's attachment; then the first record is posted to all who watch the thread.

        Raises `ThreadNotFound`, `Busy`, `NotSupported` (queue and interrupt), `QuotaExceeded`, `IdReused`,
        `RequestCancelled`, and `Unsettled`, after which the same request may be sent again.
        """
        services = self._services
        content = content_hash(frame)
        found = await look(services.table, caller, frame)
        if found.request is not None and found.request.expires * 1000 > services.clock.now_ms():
            return await self._again(caller, frame, found.request, content)
        run = self._new_run(caller, frame, found)
        entry = Entry(services.table, caller, frame, run=run, content=content, found=found)
        async with services.outside(caller).bridge(run, next_seq=1) as bridge:
            try:
                await bridge.commit(UserMessage(text=frame.text, request_id=frame.id), entry)
            except Known as earlier:
                return await self._again(caller, frame, earlier.request, content)
            services.meter.add(Metric.RUNS_ADMITTED)
            await _show(bridge)
        return _execution(run, frame, caller, status=RunStatus.RUNNING, duplicate=False, begun=False)

    def _new_run(self, caller: Caller, frame: Run, found: Found) -> RunRow:
        # Ids sort by time; within a thread they also sort by turn, whatever the clocks of two routers say.
        now = max(self._services.clock.now_ms(), found.thread.updated + 1 if found.thread else 0)
        return RunRow(
            user=caller.user,
            tenant=caller.tenant,
            thread=frame.thread_id or new_thread_id(now),
            run=new_run_id(now),
            request=frame.id,
            agent=frame.agent or DEFAULT_AGENT,
            text=frame.text,
            turn=0,
            admitted=now,
            first_seq=FIRST_ENGINE_SEQ,
        )

    async def _again(self, caller: Caller, frame: Run, earlier: RequestRow, content: str) -> Execution:
        """The answer to a request id that is known: the original run, with the sender attached to it."""
        if earlier.state == RequestState.CANCELLED or earlier.run is None or earlier.thread is None:
            raise RequestCancelled("The run was cancelled before it was admitted.")
        if earlier.content != content:
            raise IdReused("This id was used for another message within 24 hours.")
        services = self._services
        await settle(services.table, Put(attached(caller, earlier.thread, now=services.clock.now_ms())))
        tail = await tail_of(services.table, user=caller.user, run=earlier.run)
        outcome = Outcome(tail.outcome) if tail is not None and tail.outcome is not None else None
        run = RunRow(
            user=caller.user,
            tenant=caller.tenant,
            thread=earlier.thread,
            run=earlier.run,
            request=frame.id,
            agent=frame.agent or DEFAULT_AGENT,
            text=frame.text,
            turn=0,
            admitted=0,
        )
        return _execution(
            run,
            frame,
            caller,
            status=status_of(outcome=outcome, queued=False),
            duplicate=True,
            begun=tail is not None and tail.last >= FIRST_ENGINE_SEQ,
        )


def content_hash(frame: Run) -> str:
    """What makes two requests the same: text, thread as sent, agent and `if_busy`."""
    facts = [frame.text, frame.thread_id, frame.agent, frame.if_busy]
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()


def _execution(
    run: RunRow, frame: Run, caller: Caller, *, status: RunStatus, duplicate: bool, begun: bool
) -> Execution:
    call = EngineCall(
        user=caller.user,
        tenant=caller.tenant,
        thread=run.thread,
        run=run.run,
        request=frame.id,
        agent=run.agent,
        attempt=1,
        first_seq=FIRST_ENGINE_SEQ,
    )
    return Execution(thread=run.thread, run=run.run, status=status, duplicate=duplicate, begun=begun, call=call)


async def _show(bridge: WebSocketBridge) -> None:
    """Posts the user's message to all who watch. It is in the log: whoever misses it here reads it there."""
    try:
        await bridge.delivery.refresh(phase=Phase.STARTING, elapsed_ms=0)
    except Unsettled:
        _log.warning("audience not read; the message is seen on attach")
