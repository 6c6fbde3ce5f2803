"""How a run fails: on the model's side, or by a tool that keeps failing.

What a client is told is safe to show; the details stay in the error's cause, for the log.
"""

from collections.abc import Iterable
from typing import Final

from pydantic_ai.exceptions import (
    ContentFilterError,
    ModelAPIError,
    OutputTokenLimitExceeded,
    UnexpectedModelBehavior,
    UsageLimitExceeded,
)

from dayfly.agents.pydantic.failures.model_failures import ModelRefused, kind_of
from dayfly.errors import AgentFailed, DayflyError
from dayfly.log.messages import AssistantSaid, Message, ToolAnswered, ToolOutcome

__all__ = ["ModelRefused", "ToolFailures", "explain"]


def explain(error: Exception, *, max_requests: int) -> DayflyError:
    """The error that the run ends with.

    Args:
        error: What came out of the loop between model and tools. An error of this project's own stays as it is.
        max_requests: The agent's limit of model requests, which the message names where it was reached.
    """
    if isinstance(error, DayflyError):
        return error
    if isinstance(error, UsageLimitExceeded):
        return AgentFailed(f"The agent made {max_requests} model requests without coming to an answer.")
    if isinstance(error, ModelAPIError | ContentFilterError | OutputTokenLimitExceeded):
        return kind_of(error).failure()
    if isinstance(error, UnexpectedModelBehavior):
        return AgentFailed("The model repeatedly called tools that there are not, or with arguments that do not fit.")
    return AgentFailed("The agent failed.")


MAX_FAILED_RESPONSES: Final = 4
"""The run ends after so many model responses in a row in which calls of one tool failed and none went well."""


class ToolFailures:
    """Counts for each tool the model responses in a row in which its calls failed and none went well."""

    def __init__(self, resumed: Iterable[Message]) -> None:
        """Counts what earlier attempts of the run have left in `resumed`."""
        self._went_well: dict[str, bool] = {}
        """By the names of the tools that the present response called."""
        self._failed: dict[str, int] = {}
        for message in resumed:
            if isinstance(message, AssistantSaid):
                self._count()
            elif isinstance(message, ToolAnswered):
                self.add(message)

    def add(self, answer: ToolAnswered) -> None:
        """Notes that a call has ended. One that was denied has neither failed nor gone well, since its tool did not
        run; nor has one that the model is to correct."""
        if answer.outcome not in {ToolOutcome.DENIED, ToolOutcome.RETRY}:
            self._went_well[answer.name] = self._went_well.get(answer.name, False) or answer.outcome is ToolOutcome.OK

    def end_response(self) -> tuple[str, ...]:
        """Counts the present response, and names the tools that it called, in the order in which they first ended.

        Raises:
            AgentFailed: A tool has failed in `MAX_FAILED_RESPONSES` of them.
        """
        tools = self._count()
        for name, responses in self._failed.items():
            if responses >= MAX_FAILED_RESPONSES:
                raise AgentFailed(f"The tool {name} kept failing.")
        return tools

    def _count(self) -> tuple[str, ...]:
        for name, well in self._went_well.items():
            self._failed[name] = 0 if well else self._failed.get(name, 0) + 1
        tools, self._went_well = tuple(self._went_well), {}
        return tools
