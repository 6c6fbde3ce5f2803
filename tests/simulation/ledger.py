"""What tools really did, kept outside of any run."""

from dataclasses import dataclass, field

from dayfly.agents.sdk.protocol import Turn
from dayfly.log.messages import ToolCall, UserSaid
from tests.simulation.actors import Actor
from tests.simulation.lines import Lines
from tests.simulation.programs import Tool
from tests.simulation.truth import Truth


@dataclass
class Doings:
    """One tool call's doings: which actors began it, and which ended it."""

    began: list[str] = field(default_factory=list)
    ended: list[str] = field(default_factory=list)


class Ledger:
    """Every tool call of every run."""

    def __init__(self, truth: Truth, lines: Lines) -> None:
        self.calls: dict[tuple[str, str], Doings] = {}
        self._truth = truth
        self._lines = lines

    def given(self, turn: Turn) -> None:
        """An agent is given its turn."""
        texts = [message.text for message in turn.history if isinstance(message, UserSaid)]
        self._lines.given(self._truth.runs[turn.context.run_id], texts)

    def begins(self, actor: Actor, run: str, call: ToolCall, *, approved: bool) -> None:
        """A tool starts its work."""
        doings = self.calls.setdefault((run, call.call_id), Doings())
        doings.began.append(actor.name)
        told = self._truth.runs[run]
        if call.name != Tool.IDEMPOTENT and len(doings.began) > 1:
            self._truth.violated(f"{run}: {call.call_id} ran twice, by {doings.began}")
        if call.call_id not in told.journalled:
            self._truth.violated(f"{run}: {call.call_id} ran before the response that asked for it was journalled")
        if call.call_id not in told.executing:
            self._truth.violated(f"{run}: {call.call_id} ran before its tool_executing was logged")
        if call.call_id in told.completed:
            self._truth.violated(f"{run}: {call.call_id} ran again after its tool_completed was logged")
        if approved and call.call_id not in told.approved:
            self._truth.violated(f"{run}: {call.call_id} ran, but nobody has approved it")

    def ends(self, actor: Actor, run: str, call: ToolCall) -> None:
        """A tool has done its work."""
        self.calls[run, call.call_id].ended.append(actor.name)
