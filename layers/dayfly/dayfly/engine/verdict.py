"""From the way an agent ended to the event that ends its run."""

import asyncio
import logging
from dataclasses import dataclass

from dayfly.agents.protocol import Answered, Asked
from dayfly.engine.narrator import Narrator
from dayfly.errors import AgentFailed, EngineClosed, RunFailed, Superseded, Unsettled
from dayfly.protocol.events import TerminalPayload, Usage
from dayfly.publisher.payloads import answered, failure
from dayfly.runlog.resumption import Resumption

_log = logging.getLogger("dayfly.engine")


@dataclass(frozen=True, slots=True)
class HandOver:
    """Another engine has to go on. `cut`: a step was broken off."""

    cut: bool


Verdict = TerminalPayload | Asked | HandOver
"""What an attempt came to."""


def usage_of(earlier: Resumption, narrator: Narrator) -> Usage:
    """What the model counted over all attempts of the run."""
    return Usage(
        requests=earlier.requests + narrator.requests,
        input_tokens=earlier.input_tokens + narrator.input_tokens,
        output_tokens=earlier.output_tokens + narrator.output_tokens,
    )


def verdict_on(
    ended: "asyncio.Future[None]", answer: Answered | Asked | None, usage: Usage, *, took_ms: int, run: str
) -> TerminalPayload | Asked:
    """What an agent that has ended by itself came to.

    What the log said (`Superseded`, `Unsettled`, a closed bridge) is not the agent's doing and is raised on. An agent's
    own exception is named to the client by a bare code; its text goes to the log.
    """
    error = ended.exception()
    match error:
        case None if isinstance(answer, Asked):
            return answer
        case None if isinstance(answer, Answered):
            return answered(answer.text, took_ms=took_ms, usage=usage)
        case None:
            _log.error("the agent ended without an answer", extra={"run": run, "code": AgentFailed.code})
            return failure(AgentFailed("The agent gave no answer."))
        case Superseded() | Unsettled() | EngineClosed():
            raise error
        case RunFailed():
            _log.error("the run failed", extra={"run": run, "code": error.code}, exc_info=error)
            return failure(error)
        case Exception():
            _log.error("the agent raised", extra={"run": run, "code": AgentFailed.code}, exc_info=error)
            return failure(AgentFailed("The agent failed."))
        case _:
            raise error
