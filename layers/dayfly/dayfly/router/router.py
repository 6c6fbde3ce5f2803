"""Answers one client frame, without AWS."""

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
    """Answers client frames. Process-lived; holds no user data. `replies` posts to the caller, apart from
    `ports.poster`."""

    ports: Ports
    replies: Poster

    async def handle(self, caller: Caller, body: str) -> None:
        """Carries out the frame and posts one reply to the caller.

        A refused frame, and a service that did not answer, become an `error` reply with a code. Anything else is
        raised, after the caller was sent an `internal` error with this invocation's id.
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
