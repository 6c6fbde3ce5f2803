"""Writing a terminal event, and seeing it off."""

import logging
from typing import Final

from dayfly.errors import Unsettled
from dayfly.ports.meter import Meter, Metric
from dayfly.protocol.events import AgentCancelled, AgentCompleted, AgentError, TerminalPayload
from dayfly.protocol.signals import Phase
from dayfly.publisher.bridge import WebSocketBridge
from dayfly.publisher.ending import Ending
from dayfly.publisher.settle import answered

AUDIENCE_S: Final = 2.0
"""How long the end looks for its audience before it leaves the posting to the sweep."""

_log = logging.getLogger("dayfly.publisher")


async def finish(bridge: WebSocketBridge, payload: TerminalPayload, ending: Ending, meter: Meter) -> bool:
    """Commits the terminal event, counts the outcome (whoever writes the end counts it, so it is counted once), and
    posts it. Says whether it was posted to all in time: only then may the lease be dropped.

    Raises `Superseded` where another writer was first, and `Unsettled`.
    """
    await bridge.commit(payload, ending)
    _count(payload, meter)
    return await see_off(bridge)


async def see_off(bridge: WebSocketBridge) -> bool:
    """Reads the audience once more, after the last append, so that a socket that came late is sent the end as well;
    then waits until all is posted."""
    try:
        # Whoever ends a run from outside knows nobody yet: without this read the end reaches nobody until the sweep.
        await answered(lambda: bridge.delivery.refresh(phase=Phase.ENDING, elapsed_ms=0), patience_s=AUDIENCE_S)
    except Unsettled:
        _log.warning("audience not read after the end; the lease is left for the sweep")
        await bridge.delivery.drain()
        return False
    return await bridge.delivery.drain()


def _count(payload: TerminalPayload, meter: Meter) -> None:
    match payload:
        case AgentCompleted():
            meter.add(Metric.RUNS_COMPLETED)
        case AgentCancelled():
            meter.add(Metric.RUNS_CANCELLED)
        case AgentError(code=code):
            meter.add(Metric.RUNS_FAILED, code=code)
