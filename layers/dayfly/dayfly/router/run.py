"""`run`: admits a run, replies `accepted`, posts the message to all attached sockets, and invokes the engine."""

import asyncio
import logging

from dayfly.errors import Unsettled
from dayfly.protocol.frames import Run
from dayfly.protocol.replies import Accepted
from dayfly.router.request import Request
from dayfly.runs.cancel import end_if_idle
from dayfly.runs.execution_factory import Execution, ExecutionFactory
from dayfly.runs.lookup import run_of
from dayfly.store import keys
from dayfly.store.rows import CancelRow

_log = logging.getLogger("dayfly.router")


async def run(request: Request, frame: Run) -> None:
    """Admits the run, then posts the reply and does all else that follows an admission at once: the run is durable, and
    clients order what they get by seq. Raises as `ExecutionFactory.open`."""
    execution = await ExecutionFactory(request.ports).open(request.caller, frame)
    admitted = execution.run
    told = {"run": admitted.run_id, "thread_id": admitted.thread_id, "duplicate": execution.first is None}
    _log.info("admitted", extra=told)
    await asyncio.gather(
        request.reply(_accepted(frame, execution).encode()),
        _show(request, execution),
        _start(request, execution),
        _interrupt(request, execution),
        _announce(request, execution),
    )


def _accepted(frame: Run, execution: Execution) -> Accepted:
    return Accepted(
        id=frame.id,
        run_id=execution.run.run_id,
        thread_id=execution.run.thread_id,
        status=execution.status.value,
        position=execution.position,
        duplicate=execution.first is None,
    )


async def _show(request: Request, execution: Execution) -> None:
    """Posts the user's message to all attached sockets. A client that misses it reads it on `attach`."""
    if execution.first is not None:
        await request.run_writer.show(execution.run, execution.first)


async def _start(request: Request, execution: Execution) -> None:
    if execution.starts:
        await request.run_writer.start_engine(execution.run)


async def _interrupt(request: Request, execution: Execution) -> None:
    """Ends the interrupted run if no engine works on it. The admission has written its cancel mark, so if this fails,
    recovery ends it."""
    if execution.interrupted is None:
        return
    admitted = execution.run
    mark = keys.cancel_mark_key(admitted.user_id, admitted.thread_id, execution.interrupted)
    try:
        if await request.ports.table.get(mark, CancelRow) is not None:
            interrupted = await run_of(
                request.ports.table, user_id=request.caller.user_id, run_id=execution.interrupted
            )
            await end_if_idle(request.run_writer, interrupted)
    except Unsettled:
        _log.warning("interrupted run not ended", extra={"run": execution.interrupted})


async def _announce(request: Request, execution: Execution) -> None:
    if execution.changed is not None:
        await request.run_writer.announcer.thread_changed(execution.changed)
