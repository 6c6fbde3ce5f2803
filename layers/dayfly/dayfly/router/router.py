"""One frame in, one answer out: the router's own work, without AWS."""

import logging
from dataclasses import dataclass

from dayfly.context.caller import Caller
from dayfly.delivery.background import BackgroundTasks
from dayfly.delivery.poster import Poster
from dayfly.errors import ErrorCode, PortError, RequestError, RunFailed, Unavailable
from dayfly.protocol.parse import parse_frame, request_id_of
from dayfly.protocol.replies import Error, Reply
from dayfly.router.registry import HANDLERS
from dayfly.router.request import Request
from dayfly.runs.ports import Ports

_log = logging.getLogger("dayfly.router")


@dataclass(frozen=True, slots=True, kw_only=True)
class Router:
    """Answers one client frame. Process-lived; holds nothing of any user. `replies` is the way to whoever asks, in
    which nobody else's socket stands."""

    ports: Ports
    replies: Poster

    async def handle(self, caller: Caller, body: str) -> None:
        """Carries out the frame and posts one reply to the caller; slow sockets keep neither waiting.

        What is wrong with the frame, and what a service did not answer, becomes an `error` reply with a code; anything
        else is raised, after the caller was told a bare `internal` and this invocation's id.
        """
        async with BackgroundTasks() as background:
            request = Request(caller=caller, ports=self.ports, replies=self.replies, background=background)
            reply = await _answer(request, body)
            if reply is not None:
                await request.reply(reply.encode())


async def _answer(request: Request, body: str) -> Reply | None:
    try:
        frame = parse_frame(body)
        return await HANDLERS[type(frame)](request, frame)
    except (RequestError, RunFailed) as error:
        _log.info("refused", extra={"code": error.code, "connection": request.caller.connection_id})
        return _refusal(body, error.code, str(error), retryable=error.retryable)
    except PortError as error:
        _log.warning("a service did not answer", extra={"reason": str(error)}, exc_info=error)
        message = "A service did not answer in time. Send the same message again, with the same id."
        return _refusal(body, Unavailable.code, message, retryable=True)
    except Exception:
        await request.reply(_internal(body, request.caller).encode())
        raise


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
