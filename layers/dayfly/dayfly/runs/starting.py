"""Asking for a run's engine."""

import logging

from dayfly.errors import PortError
from dayfly.runs.invoker import EngineCall, Invoker
from dayfly.store.rows import RunRow

_log = logging.getLogger("dayfly.runs")


async def start_engine(invoker: Invoker, run: RunRow) -> None:
    """Asks for an engine for the run's present attempt. If the request is lost, the sweep asks again."""
    try:
        await invoker.start(EngineCall.of(run))
    except PortError as error:
        _log.warning("engine not invoked", extra={"run": run.run_id, "reason": str(error)})
