"""How an attempt's agent came to its end, and what has to be done about its run."""

import logging
from dataclasses import dataclass
from typing import Final

from dayfly.agents.provider_errors import ProviderError
from dayfly.agents.sdk.conduct import AgentBrokeProtocol
from dayfly.agents.sdk.protocol import Answered, Asked
from dayfly.errors import AgentFailed, EngineClosed, ModelFailed, RunFailed, RunTooLong, Superseded, Unsettled
from dayfly.log.event_payloads import agent_completed, agent_error
from dayfly.protocol.events import AgentCancelled, AgentError, TerminalPayload, Usage

THE_RULES: Final = "See `Agent.run` in dayfly/agents/sdk/protocol.py; `check_agent` of dayfly.agents.testing finds it."
"""Where the author of an agent reads on."""

_log = logging.getLogger("dayfly.engine")


@dataclass(frozen=True, slots=True)
class AgentEnded:
    """The agent ended by itself. `error` is what it raised, `None` where it raised nothing."""

    error: BaseException | None


@dataclass(frozen=True, slots=True)
class Cancelled:
    """The user has cancelled the run."""


@dataclass(frozen=True, slots=True)
class OutOfTime:
    """The attempt's time is used up, the run's is not. `cut`: a step was broken off; else none was begun any more."""

    cut: bool


@dataclass(frozen=True, slots=True)
class RunTimeUsed:
    """The time that the run may take over all of its engines is used up."""


@dataclass(frozen=True, slots=True)
class LeaseLost:
    """Another engine has taken over the run."""


Verdict = AgentEnded | Cancelled | OutOfTime | RunTimeUsed | LeaseLost
"""How an attempt's agent came to its end."""


@dataclass(frozen=True, slots=True)
class HandOver:
    """Another engine has to go on. `cut`: a step was broken off."""

    cut: bool


Conclusion = TerminalPayload | Asked | HandOver
"""What has to be done about the run: end it, leave it to its user, or hand it over."""


def conclude(
    verdict: Verdict, answer: Answered | Asked | None, usage: Usage, *, took_ms: int, run_id: str
) -> Conclusion:
    """What follows from a verdict.

    Args:
        verdict: How the agent came to its end.
        answer: The last that it said, if it came to that.
        usage: What its model counted over all attempts.
        took_ms: What the run has taken over all attempts.
        run_id: For the log.

    Raises:
        Superseded: Another engine has taken over: the lease was lost, or an append found its seq taken.
        Unsettled: An append of the agent's events was not settled.
        EngineClosed: The engine was closed while the agent ran.
        BaseException: What the agent raised that is no `Exception`, such as `KeyboardInterrupt`.
    """
    match verdict:
        case LeaseLost():
            raise Superseded("the lease is another's")
        case Cancelled():
            return AgentCancelled(execution_time_ms=took_ms)
        case RunTimeUsed():
            return agent_error(RunTooLong("The run took longer than it may."))
        case OutOfTime(cut=cut):
            return HandOver(cut)
        case AgentEnded(error=None) if isinstance(answer, Asked):
            return answer
        case AgentEnded(error=None) if isinstance(answer, Answered):
            return agent_completed(
                answer.text, took_ms=took_ms, usage=usage, finish=answer.finish, output=answer.output
            )
        case AgentEnded(error):
            return _failed(error, run_id=run_id)


def _failed(error: BaseException | None, *, run_id: str) -> TerminalPayload:
    """The client is told an agent's own exception by a bare code; the exception's text goes to the log."""
    match error:
        case None:
            told = "the agent ended without an answer. `run` ends with one `Answered` or `Asked`. %s"
            _log.error(told, THE_RULES, extra={"run": run_id, "code": AgentFailed.code})
            return agent_error(AgentFailed("The agent gave no answer."))
        case Superseded() | Unsettled() | EngineClosed():
            raise error
        case AgentBrokeProtocol():
            # Where the agent's code is wrong, no traceback shows: it was not there that this was raised.
            _log.error(
                "the agent broke its protocol: %s %s", error, THE_RULES, extra={"run": run_id, "code": error.code}
            )
            return agent_error(error)
        case RunFailed():
            ended = agent_error(error)
            _log_failure(error, ended, run_id=run_id)
            return ended
        case Exception():
            _log.error("the agent raised", extra={"run": run_id, "code": AgentFailed.code}, exc_info=error)
            return agent_error(AgentFailed("The agent failed."))
        case _:
            raise error


def _log_failure(error: RunFailed, ended: AgentError, *, run_id: str) -> None:
    """One line: with what a provider said, where it was a provider. A traceback comes only with an exception that
    nobody has foreseen, and that the failure was raised from."""
    facts: dict[str, str | int] = {"run": run_id, "code": error.code, "retryable": ended.retryable}
    if isinstance(error, ModelFailed):
        asked: dict[str, str | int] = {"provider": error.provider, "model": error.model, "retries": error.retries}
        facts |= {name: value for name, value in asked.items() if value}
    told = ProviderError.of(error.__cause__) if error.__cause__ is not None else None
    unforeseen = error if error.__cause__ is not None and told is None else None
    subject = "the model failed" if isinstance(error, ModelFailed) else "the run failed"
    _log.error(
        "%s: %s", subject, ended.message, extra=facts | (told.fields if told is not None else {}), exc_info=unforeseen
    )
