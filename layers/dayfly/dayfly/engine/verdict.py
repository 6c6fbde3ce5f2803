"""From the way an agent ended to the event that ends its run."""

import asyncio
import logging

from dayfly.agents.protocol import Answered
from dayfly.errors import AgentFailed, EngineClosed, RunFailed, Superseded, Unsettled
from dayfly.protocol.events import AgentCompleted, AgentError, TerminalPayload, Usage
from dayfly.publisher.shaping import ANSWER_BYTES, SENTENCE_BYTES, cut

_log = logging.getLogger("dayfly.engine")


def verdict_on(ended: "asyncio.Future[None]", answer: Answered | None, *, elapsed_ms: int, run: str) -> TerminalPayload:
    """The terminal payload of an agent that has ended by itself.

    What the log said (`Superseded`, `Unsettled`, a closed bridge) is not the agent's doing and is raised on. An agent's
    own exception is named to the client by a bare code; its text goes to the log.
    """
    error = ended.exception()
    match error:
        case None if answer is not None:
            result, truncated = cut(answer.text, ANSWER_BYTES)
            usage = Usage(
                requests=answer.requests, input_tokens=answer.input_tokens, output_tokens=answer.output_tokens
            )
            return AgentCompleted(result=result, truncated=truncated, execution_time_ms=elapsed_ms, usage=usage)
        case None:
            _log.error("the agent ended without an answer", extra={"run": run, "code": AgentFailed.code})
            return AgentError(code=AgentFailed.code, message="The agent gave no answer.", retryable=False)
        case Superseded() | Unsettled() | EngineClosed():
            raise error
        case RunFailed():
            _log.error("the run failed", extra={"run": run, "code": error.code}, exc_info=error)
            message = cut(str(error) or "The run failed.", SENTENCE_BYTES)[0]
            return AgentError(code=error.code, message=message, retryable=error.retryable)
        case Exception():
            _log.error("the agent raised", extra={"run": run, "code": AgentFailed.code}, exc_info=error)
            return AgentError(code=AgentFailed.code, message="The agent failed.", retryable=AgentFailed.retryable)
        case _:
            raise error
