"""One frame in, one answer out: the router's own work, without AWS."""

import asyncio
import logging
from dataclasses import replace

from dayfly.context.caller import Caller
from dayfly.delivery.background import BackgroundTasks
from dayfly.errors import ErrorCode, NotSupported, PortError, RequestError, RunFailed, Unavailable, Unsettled
from dayfly.protocol.frames import (
    Approve,
    Attach,
    Cancel,
    Detach,
    Forget,
    Frame,
    History,
    Ping,
    Refresh,
    Rename,
    Run,
    Threads,
)
from dayfly.protocol.parse import parse_frame, request_id_of
from dayfly.protocol.replies import Accepted, Error, Pong, Reply
from dayfly.router.approve import approve
from dayfly.router.attach import attach, detach
from dayfly.router.cancel import cancel, end_if_idle
from dayfly.router.editing import forget, rename
from dayfly.router.listing import list_threads, read_history
from dayfly.router.services import Services
from dayfly.runs.execution_factory import Execution, ExecutionFactory
from dayfly.runs.lookup import run_of
from dayfly.runs.starting import start_engine
from dayfly.store import keys
from dayfly.store.rows import CancelRow
from dayfly.text import rfc3339

_log = logging.getLogger("dayfly.router")


class Router:
    """Answers one client frame. Process-lived; holds nothing of any user."""

    def __init__(self, services: Services, executions: ExecutionFactory) -> None:
        self._services = services
        self._executions = executions

    async def handle(self, caller: Caller, body: str) -> None:
        """Carries out the frame and posts one reply to the caller; slow sockets keep neither waiting.

        What is wrong with the frame, and what a service did not answer, becomes an `error` reply with a code; anything
        else is raised, after the caller was told a bare `internal` and this invocation's id.
        """
        async with BackgroundTasks() as background:
            await self._handle(replace(self._services, background=background), caller, body)

    async def _handle(self, services: Services, caller: Caller, body: str) -> None:
        try:
            reply = await self._answer(services, caller, parse_frame(body))
        except (RequestError, RunFailed) as error:
            _log.info("refused", extra={"code": error.code, "connection": caller.connection_id})
            reply = _refusal(body, error.code, str(error), retryable=error.retryable)
        except PortError as error:
            _log.warning("a service did not answer", extra={"reason": str(error)}, exc_info=error)
            message = "A service did not answer in time. Send the same message again, with the same id."
            reply = _refusal(body, Unavailable.code, message, retryable=True)
        except Exception:
            await services.reply(caller, _internal(body, caller).encode())
            raise
        if reply is not None:
            await services.reply(caller, reply.encode())

    async def _answer(self, services: Services, caller: Caller, frame: Frame) -> Reply | None:
        reply: Reply
        match frame:
            case Run():
                await self._run(services, caller, frame)
                return None
            case Cancel():
                reply = await cancel(services, caller, frame)
            case Attach():
                reply = await attach(services, caller, frame)
            case Detach():
                reply = await detach(services, caller, frame)
            case Threads():
                reply = await list_threads(services, caller, frame)
            case History():
                reply = await read_history(services, caller, frame)
            case Approve():
                reply = await approve(services, caller, frame)
            case Rename():
                reply = await rename(services, caller, frame)
            case Forget():
                reply = await forget(services, caller, frame)
            case Ping():
                reply = Pong(id=frame.id, server_time=rfc3339(services.clock.now_ms()))
            case Refresh():
                raise NotSupported(f"`{frame.action}` comes in a later version.")
        return reply

    async def _run(self, services: Services, caller: Caller, frame: Run) -> None:
        execution = await self._executions.open(caller, frame)
        where = {
            "run": execution.run.run_id,
            "thread_id": execution.run.thread_id,
            "duplicate": execution.first is None,
        }
        _log.info("admitted", extra=where)
        # The run is durable; nothing of the rest waits for the rest: clients order what they get by seq.
        await asyncio.gather(
            services.reply(caller, _accepted(frame, execution).encode()),
            _show(services, caller, execution),
            _start(services, execution),
            _interrupt(services, caller, execution),
            _announce(services, caller, execution),
        )


async def _show(services: Services, caller: Caller, execution: Execution) -> None:
    """Posts the user's message to all who watch. Whoever misses it here reads it in the log on attach."""
    if execution.first is not None:
        await services.run_writer(caller).show(execution.run, execution.first)


async def _start(services: Services, execution: Execution) -> None:
    if execution.starts:
        await start_engine(services.invoker, execution.run)


async def _interrupt(services: Services, caller: Caller, execution: Execution) -> None:
    """The run that makes way has its cancel mark by the admission; here it is ended if no engine is at work on it. If
    that fails, recovery honours the mark."""
    if execution.interrupted is None:
        return
    run = execution.run
    mark = keys.cancel_mark_key(run.user_id, run.thread_id, execution.interrupted)
    try:
        if await services.table.get(mark, CancelRow) is not None:
            interrupted = await run_of(services.table, user_id=caller.user_id, run_id=execution.interrupted)
            await end_if_idle(services, caller, interrupted)
    except Unsettled:
        _log.warning("not looked after", extra={"run": execution.interrupted})


async def _announce(services: Services, caller: Caller, execution: Execution) -> None:
    if execution.changed is not None:
        await services.run_writer(caller).announcer.thread_changed(execution.changed)


def _accepted(frame: Run, execution: Execution) -> Accepted:
    return Accepted(
        id=frame.id,
        run_id=execution.run.run_id,
        thread_id=execution.run.thread_id,
        status=execution.status.value,
        position=execution.position,
        duplicate=execution.first is None,
    )


def _refusal(body: str, code: ErrorCode, message: str, *, retryable: bool) -> Error:
    return Error(id=request_id_of(body), code=code, message=message, retryable=retryable)


def _internal(body: str, caller: Caller) -> Error:
    return Error(
        id=request_id_of(body),
        code=ErrorCode.INTERNAL,
        message="Something went wrong on our side.",
        retryable=True,
        request_id=caller.invocation_id,
    )
