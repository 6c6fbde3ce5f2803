"""Writing a terminal event, and seeing it off."""

import asyncio

from dayfly.errors import IllegalTransition
from dayfly.ports.meter import Meter, Metric
from dayfly.protocol.events import AgentCancelled, AgentCompleted, AgentError, TerminalPayload
from dayfly.publisher.bridge import WebSocketBridge
from dayfly.publisher.ending import Ended, Ending
from dayfly.publisher.outside import Outside
from dayfly.publisher.seeing_off import see_off
from dayfly.publisher.starting import start_engine


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
    seen, *_ = await asyncio.gather(
        see_off(bridge.delivery), _start_next(outside, ending.ended), _announce(outside, ending.ended)
    )
    if seen.posted:
        await outside.drop_lease(ending.run)


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
