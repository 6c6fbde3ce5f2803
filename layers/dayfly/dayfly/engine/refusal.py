"""Ending a run for which no engine can be made, so that its user is told instead of kept waiting."""

from dayfly.context.execution import UserExecutionContext
from dayfly.engine.engine import RunReport
from dayfly.engine.reading import read_run
from dayfly.errors import RunFailed, Superseded
from dayfly.log.status import Outcome
from dayfly.protocol.events import AgentError
from dayfly.runs.closing import end_run
from dayfly.runs.writer import RunWriter


async def refuse(run_writer: RunWriter, context: UserExecutionContext, reason: RunFailed) -> RunReport:
    """Ends the run with the reason's code, unless somebody else has begun or ended it. Raises `Unsettled`."""
    payload = AgentError(code=reason.code, message=str(reason), retryable=reason.retryable)
    try:
        facts = await read_run(run_writer.table, context)
        ended = await end_run(run_writer, facts.run, facts.lease, payload)
    except Superseded:
        return RunReport(None)
    return RunReport(Outcome.FAILED if ended else None)
