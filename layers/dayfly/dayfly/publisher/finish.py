"""Writing a terminal event, and seeing it off."""

import asyncio
import logging
from typing import Final

from dayfly.errors import IllegalTransition, Unsettled
from dayfly.ports.meter import Meter, Metric
from dayfly.protocol.events import AgentCancelled, AgentCompleted, AgentError, TerminalPayload
from dayfly.protocol.signals import Phase
from dayfly.publisher.bridge import WebSocketBridge
from dayfly.publisher.ending import Ended, Ending
from dayfly.publisher.outside import Outside
from dayfly.publisher.settle import answered
from dayfly.publisher.starting import start_engine

AUDIENCE_S: Final = 2.0
"""How long the end looks for its audience before it leaves the posting to the sweep."""

_log = logging.getLogger("dayfly.publisher")


async def finish(outside: Outside, bridge: WebSocketBridge, payload: TerminalPayload, ending: Ending) -> None:
    """Commits the terminal event, counts the outcome (whoever writes the end counts it, so it is counted once), posts
    it, and starts the next run; clients order what comes by run and seq, so nothing here waits for the rest. If the end
    was posted to all in time, the lease is dropped; else the sweep posts it again.

    Raises `Superseded` where another writer was first, and `Unsettled`.
    """
    await bridge.commit(payload, ending, last=True)
    _count(payload, outside.meter)
    if ending.ended is None:
        raise IllegalTransition("an end was committed without its transaction")
    posted, *_ = await asyncio.gather(
        see_off(bridge), _start_next(outside, ending.ended), _announce(outside, ending.ended)
    )
    if posted:
        await outside.drop_lease(ending.run)


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


async def _start_next(outside: Outside, ended: Ended) -> None:
    if ended.started is not None:
        await start_engine(outside.invoker, ended.started)


async def _announce(outside: Outside, ended: Ended) -> None:
    if ended.moved:
        await outside.announcer.thread_changed(ended.thread)


def _count(payload: TerminalPayload, meter: Meter) -> None:
    match payload:
        case AgentCompleted():
            meter.add(Metric.RUNS_COMPLETED)
        case AgentCancelled():
            meter.add(Metric.RUNS_CANCELLED)
        case AgentError(code=code):
            meter.add(Metric.RUNS_FAILED, code=code)
