"""How often in a row a tool may ask the model to correct its call."""

from collections.abc import Iterable

from dayfly.log.messages import AssistantSaid, Message, ToolAnswered, ToolOutcome


class ToolRetries:
    """Counts for each tool the model responses in a row in which it asked for a correction and no call of it went
    well."""

    def __init__(self, resumed: Iterable[Message]) -> None:
        """Counts what earlier attempts of the run have left in `resumed`."""
        self._in_a_row: dict[str, int] = {}
        self._present: dict[str, set[ToolOutcome]] = {}
        for message in resumed:
            if isinstance(message, AssistantSaid):
                self.end_response()
            elif isinstance(message, ToolAnswered):
                self.add(message)

    def add(self, answer: ToolAnswered) -> None:
        """Notes that a call of the present response has ended."""
        self._present.setdefault(answer.name, set()).add(answer.outcome)

    def end_response(self) -> None:
        """Counts the present response."""
        for name, outcomes in self._present.items():
            if ToolOutcome.OK in outcomes:
                self._in_a_row[name] = 0
            elif ToolOutcome.RETRY in outcomes:
                self._in_a_row[name] = self._in_a_row.get(name, 0) + 1
        self._present = {}

    def are_left(self, name: str, *, most: int) -> bool:
        """Whether this tool may ask once more, if it may ask in `most` responses in a row."""
        return self._in_a_row.get(name, 0) < most
