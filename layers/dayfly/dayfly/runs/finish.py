"""Writing a terminal event, and telling everybody."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial

from dayfly.delivery.bridge import WebSocketBridge
from dayfly.delivery.flush import flush
from dayfly.errors import IllegalTransition
from dayfly.log.writer import Committed
from dayfly.metrics import Meter, Metric
from dayfly.protocol.events import AgentCancelled, AgentCompleted, AgentError, TerminalPayload
from dayfly.runs.end import End, Ended
from dayfly.runs.starting import start_engine
from dayfly.runs.writer import RunWriter


async def finish(run_writer: RunWriter, bridge: WebSocketBridge, payload: TerminalPayload, ending: End) -> None:
    """Commits the terminal event, and sees it off to those whom the bridge knows and those who have come since; starts
    the next run. Clients order what comes by run and seq, so nothing here waits for the rest.

    Raises `Superseded` where another writer was first, and `Unsettled`.
    """
    await commit_end(run_writer.meter, bridge, payload, ending)
    await asyncio.gather(start_next(run_writer, ending), tell_end(run_writer, ending, partial(_seen_off, bridge)))


async def commit_end(meter: Meter, bridge: WebSocketBridge, payload: TerminalPayload, ending: End) -> Committed:
    """Commits the terminal event, and counts the outcome: whoever writes the end counts it, so it is counted once.
    Raises `Superseded` where another writer was first, and `Unsettled`."""
    committed = await bridge.commit(payload, ending, last=True)
    _count(payload, meter)
    return committed


async def start_next(run_writer: RunWriter, ending: End) -> None:
    """Starts the run that the end has made active."""
    started = _ended(ending).started
    if started is not None:
        await start_engine(run_writer.invoker, started)


async def tell_end(run_writer: RunWriter, ending: End, post: Callable[[], Awaitable[bool]]) -> None:
    """Has the end posted, and the thread's change announced. `post` says whether all were sent the end in time: then
    the run's lease is dropped, else the sweep posts it again."""
    posted, _ = await asyncio.gather(post(), _announce(run_writer, _ended(ending)))
    if posted:
        await run_writer.drop_lease(ending.run)


async def _seen_off(bridge: WebSocketBridge) -> bool:
    return (await flush(bridge.delivery)).posted


def _ended(ending: End) -> Ended:
    if ending.ended is None:
        raise IllegalTransition("an end was committed without its transaction")
    return ending.ended


async def _announce(run_writer: RunWriter, ended: Ended) -> None:
    if ended.moved:
        await run_writer.announcer.thread_changed(ended.thread)


def _count(payload: TerminalPayload, meter: Meter) -> None:
    match payload:
        case AgentCompleted():
            meter.add(Metric.RUNS_COMPLETED)
        case AgentCancelled():
            meter.add(Metric.RUNS_CANCELLED)
        case AgentError(code=code):
            meter.add(Metric.RUNS_FAILED, code=code)
