"""A conversation on its way into a request: what was asked, and what was said with the results that it led to."""

import dataclasses
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from pydantic_ai.messages import ModelResponse, ModelResponsePart, TextPart, ToolCallPart, ToolReturnPart, UserContent

from dayfly.log.fold import UNANSWERED


@dataclass(frozen=True, slots=True)
class Asked:
    """The user's words, or others that a model is given as the user's. `begins`: a turn of the thread begins here."""

    contents: tuple[UserContent, ...]
    begins: bool = True


@dataclass(frozen=True, slots=True)
class Said:
    """A response and its results, under our ids.

    Attributes:
        response: Its parts are what may go into the request.
        answers: By the ids of its calls.
        own: The provider that is asked gave it.
        own_ids: The provider's ids for ours, if it did.
    """

    response: ModelResponse
    answers: Mapping[str, ToolReturnPart] = field(default_factory=dict)
    own: bool = False
    own_ids: Mapping[str, str] = field(default_factory=dict)

    @property
    def calls(self) -> tuple[ToolCallPart, ...]:
        """The tools that it asks for."""
        return tuple(part for part in self.response.parts if isinstance(part, ToolCallPart))

    @property
    def results(self) -> tuple[ToolReturnPart, ...]:
        """One result for each call, in the order of the calls and under their names."""
        return tuple(self._result_of(call) for call in self.calls)

    def _result_of(self, call: ToolCallPart) -> ToolReturnPart:
        answer = self.answers.get(call.tool_call_id)
        if answer is None:
            return ToolReturnPart(call.tool_name, UNANSWERED, call.tool_call_id, outcome="interrupted")
        return ToolReturnPart(call.tool_name, answer.content, call.tool_call_id, outcome=answer.outcome)

    @property
    def text(self) -> str:
        """What it says."""
        return "".join(part.content for part in self.response.parts if isinstance(part, TextPart))

    def with_parts(self, parts: Iterable[ModelResponsePart]) -> "Said":
        """The same with other parts."""
        return dataclasses.replace(self, response=dataclasses.replace(self.response, parts=list(parts)))

    def with_answer(self, result: ToolReturnPart) -> "Said":
        """The same with this result, if it has such a call, and none yet."""
        if result.tool_call_id in self.answers or result.tool_call_id not in {call.tool_call_id for call in self.calls}:
            return self
        return dataclasses.replace(self, answers={**self.answers, result.tool_call_id: result})


Step = Asked | Said


def joined(steps: Iterable[Step]) -> list[Step]:
    """The steps with what follows each other of one side as one, and without responses in which nothing is said."""
    whole: list[Step] = []
    for step in steps:
        before = whole[-1] if whole else None
        if isinstance(step, Asked):
            if isinstance(before, Asked):
                whole[-1] = Asked((*before.contents, *step.contents), before.begins)
            else:
                whole.append(step)
        elif step.text or step.calls:
            if isinstance(before, Said) and not before.calls:
                joint = dataclasses.replace(step, own=before.own and step.own)
                whole[-1] = joint.with_parts([*before.response.parts, *step.response.parts])
            else:
                whole.append(step)
    return whole


def turns_of(steps: Iterable[Step]) -> list[list[Step]]:
    """The steps by turns, oldest first."""
    turns: list[list[Step]] = []
    for step in steps:
        if not turns or (isinstance(step, Asked) and step.begins):
            turns.append([])
        turns[-1].append(step)
    return turns
