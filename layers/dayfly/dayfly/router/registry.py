"""The actions: for each the frame that asks for it and the function that answers. Its reply is named by the frame."""

from collections.abc import Awaitable, Callable
from typing import Any, Final, Never

from dayfly.errors import NotSupported
from dayfly.protocol.frames import (
    Approve,
    Attach,
    Cancel,
    ClientFrame,
    Detach,
    Forget,
    History,
    Ping,
    Refresh,
    Rename,
    Run,
    Threads,
)
from dayfly.protocol.replies import Pong, Reply
from dayfly.router.approve import approve
from dayfly.router.attach import attach, detach
from dayfly.router.cancel import cancel
from dayfly.router.forget import forget
from dayfly.router.history import history
from dayfly.router.rename import rename
from dayfly.router.request import Request
from dayfly.router.run import run
from dayfly.router.threads import threads
from dayfly.text import rfc3339


async def ping(request: Request, frame: Ping) -> Pong:
    """Says what time it is here."""
    return Pong(id=frame.id, server_time=rfc3339(request.ports.clock.now_ms()))


async def refresh(request: Request, frame: Refresh) -> Never:
    """Raises `NotSupported`."""
    del request
    raise NotSupported(f"`{frame.action}` comes in a later version.")


Handler = Callable[[Request, Any], Awaitable[Reply | None]]
"""Carries out one kind of frame. Its reply is posted to the caller; `None`: it has posted the reply itself. Raises
`RequestError` and `RunFailed`, which become `error` replies, and what a port raises."""

HANDLERS: Final[dict[type[ClientFrame], Handler]] = {
    Run: run,
    Cancel: cancel,
    Attach: attach,
    Detach: detach,
    Approve: approve,
    Threads: threads,
    History: history,
    Rename: rename,
    Forget: forget,
    Refresh: refresh,
    Ping: ping,
}
