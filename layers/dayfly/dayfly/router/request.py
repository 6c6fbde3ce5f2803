"""One client frame that is being answered: who sent it, and what it is answered with."""

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
    """What an action is carried out with. `replies` is the way to whoever asks, in which nobody else's socket stands;
    `background` runs what the reply does not wait for."""

    caller: Caller
    ports: Ports
    replies: Poster
    background: BackgroundTasks

    @property
    def run_writer(self) -> RunWriter:
        """For writing a run's log from this invocation."""
        return RunWriter(ports=self.ports, invocation_id=self.caller.invocation_id, background=self.background)

    async def reply(self, frame: bytes) -> bool:
        """Posts to the caller, and says whether the frame was taken. Where it was not, what was decided stands in the
        table all the same: a caller that left needs no answer, and one that is there asks again."""
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
