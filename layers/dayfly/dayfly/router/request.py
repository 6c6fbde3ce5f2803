"""The request that an action is carried out for: its caller, and the ports."""

import logging
from dataclasses import dataclass

from dayfly.context.caller import Caller
from dayfly.delivery.background import BackgroundTasks
from dayfly.delivery.poster import Poster
from dayfly.errors import Gone, PostRefused, Unsettled
from dayfly.runs.ports import Ports
from dayfly.runs.writer import RunWriter

_log = logging.getLogger("dayfly.router")


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One client frame in progress.

    Attributes:
        replies: Posts to the caller. Apart from `ports.poster`, so that slow sockets delay no reply.
        background: Runs what the reply does not wait for.
    """

    caller: Caller
    ports: Ports
    replies: Poster
    background: BackgroundTasks

    @property
    def run_writer(self) -> RunWriter:
        """Writes runs' logs for this invocation."""
        return RunWriter(ports=self.ports, invocation_id=self.caller.invocation_id, background=self.background)

    async def reply(self, frame: bytes) -> bool:
        """Posts to the caller. Returns `False`, and logs, if the frame was not posted: what was decided is in the
        table, and a client without a reply sends the same frame again."""
        connection_id = self.caller.connection_id
        try:
            await self.replies.post(connection_id, frame)
        except Gone:
            _log.info("the caller left", extra={"connection": connection_id})
        except (Unsettled, PostRefused) as error:
            _log.warning("reply not posted", extra={"connection": connection_id, "reason": type(error).__name__})
        else:
            return True
        return False
