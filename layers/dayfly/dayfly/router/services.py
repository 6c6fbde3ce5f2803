"""What every request of the router stands on."""

import logging
from dataclasses import dataclass

from dayfly.clock import Clock
from dayfly.context.caller import Caller
from dayfly.delivery.background import BackgroundTasks
from dayfly.delivery.poster import Poster
from dayfly.errors import Gone, PostRefused, Unsettled
from dayfly.metrics import Meter
from dayfly.runs.invoker import Invoker
from dayfly.runs.writer import RunWriter
from dayfly.store.table import Table

_log = logging.getLogger("dayfly.router")


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """The ports, as one thing to hand on, and the errands of the frame that is being answered. `replies` is the way to
    whoever asks, in which nobody else's socket stands."""

    table: Table
    poster: Poster
    replies: Poster
    invoker: Invoker
    clock: Clock
    meter: Meter
    background: BackgroundTasks | None = None

    def run_writer(self, caller: Caller) -> RunWriter:
        """For writing a run's log from this invocation."""
        return RunWriter(
            table=self.table,
            poster=self.poster,
            invoker=self.invoker,
            clock=self.clock,
            meter=self.meter,
            invocation_id=caller.invocation_id,
            background=self.background,
        )

    async def reply(self, caller: Caller, frame: bytes) -> bool:
        """Posts to the caller, and says whether the frame was taken. Where it was not, what was decided stands in the
        table all the same: a caller that left needs no answer, and one that is there asks again."""
        try:
            await self.replies.post(caller.connection_id, frame)
        except Gone:
            _log.info("the caller left", extra={"connection": caller.connection_id})
        except (Unsettled, PostRefused) as error:
            _log.warning("reply not posted", extra={"connection": caller.connection_id, "reason": type(error).__name__})
        else:
            return True
        return False
