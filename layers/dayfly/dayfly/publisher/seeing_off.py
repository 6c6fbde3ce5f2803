"""After the last append of a writer: whoever came late is brought up to date, and all is posted."""

import asyncio
import logging
from dataclasses import dataclass
from typing import Final

from dayfly.errors import Unsettled
from dayfly.protocol.signals import Phase
from dayfly.publisher.audience import Audience
from dayfly.publisher.delivery import DRAIN_S, Delivery
from dayfly.publisher.settle import answered

AUDIENCE_S: Final = 2.0
"""How long the audience is looked for."""

_log = logging.getLogger("dayfly.publisher")


@dataclass(frozen=True, slots=True)
class SeenOff:
    """The audience and cancel marks after the append, `None` where they could not be read; and whether each socket was
    sent all in time, or has left, or cannot be sent anything."""

    audience: Audience | None
    posted: bool


async def see_off(delivery: Delivery, *, drain_s: float = DRAIN_S) -> SeenOff:
    """Reads the audience once more, so that a socket that came late is sent what was appended as well (who writes from
    outside knows nobody before), then waits until all is posted, for `drain_s` seconds at most. Where some were found
    to be gone and sockets stand behind them, these are sent it in their place."""
    loop = asyncio.get_running_loop()
    until: float | None = None
    audience: Audience | None = None
    while True:
        try:
            audience = await answered(lambda: delivery.refresh(phase=Phase.ENDING, elapsed_ms=0), patience_s=AUDIENCE_S)
        except Unsettled:
            # An end keeps its lease for the sweep; whoever misses anything else sees the gap by the next event.
            _log.warning("audience not read")
            await delivery.drain(patience_s=drain_s)
            return SeenOff(audience, posted=False)
        until = loop.time() + drain_s if until is None else until
        posted = await delivery.drain(patience_s=max(0.0, until - loop.time()))
        has_room = audience.more and len(delivery.sockets) < len(audience.sockets)
        if not posted or not has_room:
            return SeenOff(audience, posted)
