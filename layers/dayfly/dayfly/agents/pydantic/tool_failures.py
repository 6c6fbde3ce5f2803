"""How the tools of a run have fared, response by response."""

from collections.abc import Iterable
from typing import Final

from dayfly.errors import AgentFailed
from dayfly.log.messages import AssistantSaid, Message, ToolAnswered, ToolOutcome

MAX_FAILED_ROUNDS: Final = 4
"""After so many model responses in a row in which calls of one tool failed and none went well, the run ends."""


class ToolFailures:
    """A round is what one model response asked for. Begins with what earlier attempts of the run have done."""

    def __init__(self, resumed: Iterable[Message]) -> None:
        self._round: dict[str, bool] = {}
        self._failed: dict[str, int] = {}
        for message in resumed:
            if isinstance(message, AssistantSaid):
                self._fold()
            elif isinstance(message, ToolAnswered):
                self.add(message)

    def add(self, answer: ToolAnswered) -> None:
        """A call has ended. A denied one has neither failed nor gone well: its tool was not asked."""
        if answer.outcome is not ToolOutcome.DENIED:
            self._round[answer.name] = self._round.get(answer.name, False) or answer.outcome is ToolOutcome.OK

    def close(self) -> tuple[str, ...]:
        """Ends the round and names its tools. Raises `AgentFailed` where one keeps failing."""
        worked_with = self._fold()
        for name, rounds in self._failed.items():
            if rounds >= MAX_FAILED_ROUNDS:
                raise AgentFailed(f"The tool {name} kept failing.")
        return worked_with

    def _fold(self) -> tuple[str, ...]:
        for name, well in self._round.items():
            self._failed[name] = 0 if well else self._failed.get(name, 0) + 1
        worked_with, self._round = tuple(self._round), {}
        return worked_with
