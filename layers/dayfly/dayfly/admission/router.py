"""One frame in, one answer out: the router's own work, without AWS."""

import asyncio
import logging

from dayfly.admission.attaching import attach, detach
from dayfly.admission.caller import Caller
from dayfly.admission.cancelling import cancel
from dayfly.admission.execution_factory import Execution, ExecutionFactory
from dayfly.admission.listing import list_threads, read_history
from dayfly.admission.services import Services
from dayfly.errors import ErrorCode, NotSupported, PortError, RequestError, RunFailed, Unavailable, Unsettled
from dayfly.ports.invoker import EngineCall
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
from dayfly.publisher.timestamps import rfc3339

_log = logging.getLogger("dayfly.admission")


class Router:
    """Answers one client frame. Process-lived; holds nothing of any user."""

    def __init__(self, services: Services, executions: ExecutionFactory) -> None:
        self._services = services
        self._executions = executions

    async def handle(self, caller: Caller, body: str) -> None:
        """Carries out the frame and posts one reply to the caller.

        What is wrong with the frame, and what a service did not answer, becomes an `error` reply with a code; anything
        else is raised, after the caller was told a bare `internal` and this invocation's id.
        """
        try:
            reply = await self._answer(caller, parse_frame(body))
        except (RequestError, RunFailed) as error:
            _log.info("refused", extra={"code": error.code, "connection": caller.connection})
            reply = _refusal(body, error.code, str(error), retryable=error.retryable)
        except PortError as error:
            _log.warning("a service did not answer", extra={"reason": str(error)}, exc_info=error)
            message = "A service did not answer in time. Send the same message again, with the same id."
            reply = _refusal(body, Unavailable.code, message, retryable=True)
        except Exception:
            await self._services.reply(caller, _internal(body, caller).encode())
            raise
        if reply is not None:
            await self._services.reply(caller, reply.encode())

    async def _answer(self, caller: Caller, frame: Frame) -> Reply | None:
        services = self._services
        match frame:
            case Run():
                await self._run(caller, frame)
                return None
            case Cancel():
                return await cancel(services, caller, frame)
            case Attach():
                return await attach(services, caller, frame)
            case Detach():
                return await detach(services, caller, frame)
            case Threads():
                return await list_threads(services, caller, frame)
            case History():
                return await read_history(services, caller, frame)
            case Ping():
                return Pong(id=frame.id, server_time=rfc3339(services.clock.now_ms()))
            case Approve() | Rename() | Forget() | Refresh():
                raise NotSupported(f"`{frame.action}` comes in a later version.")

    async def _run(self, caller: Caller, frame: Run) -> None:
        execution = await self._executions.open(caller, frame)
        where = {"run": execution.run.run, "thread_id": execution.run.thread, "duplicate": execution.first is None}
        _log.info("admitted", extra=where)
        # The run is durable; nothing of the rest waits for the rest: clients order what they get by seq.
        await asyncio.gather(
            self._services.reply(caller, _accepted(frame, execution).encode()),
            self._show(caller, execution),
            self._start(execution),
        )

    async def _show(self, caller: Caller, execution: Execution) -> None:
        """Posts the user's message to all who watch. Whoever misses it here reads it in the log on attach."""
        if execution.first is None:
            return
        try:
            await self._services.outside(caller).show(execution.run, execution.first)
        except Unsettled:
            _log.warning("audience not read", extra={"run": execution.run.run})

    async def _start(self, execution: Execution) -> None:
        """Asks for an engine, unless one has begun. If the request is lost, the sweep asks again."""
        if execution.begun:
            return
        try:
            await self._services.invoker.start(EngineCall.of(execution.run))
        except PortError as error:
            _log.warning("engine not invoked", extra={"run": execution.run.run, "reason": str(error)})


def _accepted(frame: Run, execution: Execution) -> Accepted:
    return Accepted(
        id=frame.id,
        run_id=execution.run.run,
        thread_id=execution.run.thread,
        status=execution.status.value,
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
        request_id=caller.invocation,
    )
