"""What every request of the router stands on."""

import logging
from dataclasses import dataclass

from dayfly.admission.caller import Caller
from dayfly.errors import Gone, PostRefused, Unsettled
from dayfly.ports.clock import Clock
from dayfly.ports.invoker import Invoker
from dayfly.ports.meter import Meter
from dayfly.ports.poster import Poster
from dayfly.ports.table import Table
from dayfly.publisher.errands import Errands
from dayfly.publisher.outside import Outside

_log = logging.getLogger("dayfly.admission")


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
    errands: Errands | None = None

    def outside(self, caller: Caller) -> Outside:
        """For writing a run's log from this invocation."""
        return Outside(
            table=self.table,
            poster=self.poster,
            invoker=self.invoker,
            clock=self.clock,
            meter=self.meter,
            invocation=caller.invocation,
            errands=self.errands,
        )

    async def reply(self, caller: Caller, frame: bytes) -> bool:
        """Posts to the caller, and says whether the frame was taken. Where it was not, what was decided stands in the
        table all the same: a caller that left needs no answer, and one that is there asks again."""
        try:
            await self.replies.post(caller.connection, frame)
        except Gone:
            _log.info("the caller left", extra={"connection": caller.connection})
        except (Unsettled, PostRefused) as error:
            _log.warning("reply not posted", extra={"connection": caller.connection, "reason": type(error).__name__})
        else:
            return True
        return False
