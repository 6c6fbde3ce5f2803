"""Ending a run for which no engine can be made, so that its user is told instead of kept waiting."""

import logging

from dayfly.context.execution import UserExecutionContext
from dayfly.engine.attempt import Attempt
from dayfly.engine.engine import RunReport
from dayfly.engine.limits import RunLimits
from dayfly.engine.reading import read_run
from dayfly.errors import RunFailed, Superseded
from dayfly.publisher.outside import Outside
from dayfly.publisher.payloads import failure

_log = logging.getLogger("dayfly.engine")


async def refuse(outside: Outside, context: UserExecutionContext, reason: RunFailed) -> RunReport:
    """Ends the run with the reason's code, as the first and only record of its attempt.

    It does so as an engine would that has nothing else to say: at exactly the attempt's first seq, on condition that no
    engine has claimed the attempt's lease. So a duplicated or late invocation that can make no engine loses like any
    other, and the run stays with whoever holds it: the report then has no outcome. Raises `Unsettled`.
    """
    try:
        facts = await read_run(outside.table, context)
        async with outside.bridge(facts.run, next_seq=context.first_seq) as bridge:
            return RunReport(await Attempt(outside, bridge, facts, RunLimits()).end(failure(reason)))
    except Superseded as loss:
        _log.info("not refused", extra={"run": context.run_id, "reason": str(loss)})
        return RunReport(None)
