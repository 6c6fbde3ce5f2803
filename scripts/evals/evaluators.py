"""How a run is compared with what is expected of it, for pydantic-evals."""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from pydantic import JsonValue
from pydantic_ai.models import Model
from pydantic_evals.evaluators import EvaluationReason, Evaluator, EvaluatorContext
from pydantic_evals.evaluators.llm_as_a_judge import judge_input_output

from dayfly.agents.sdk import Answered, Asked
from dayfly.agents.testing import Transcript
from scripts.evals.cases import EvaluationCase, Expected, ExpectedCall


@dataclass(frozen=True, slots=True)
class Done:
    """What came of a case."""

    transcript: Transcript

    @property
    def answer(self) -> str:
        """The answer; empty where the run still waits for its user."""
        return self.transcript.answer if not self.waits else ""

    @property
    def output(self) -> JsonValue:
        """The structured answer, if the agent gave one."""
        last = self.transcript.events[-1]
        return last.output if isinstance(last, Answered) else None

    @property
    def waits(self) -> bool:
        """Whether the run has stopped to ask its user."""
        return isinstance(self.transcript.events[-1], Asked)


Context = EvaluatorContext[EvaluationCase, Done, None]


@dataclass
class Expectations(Evaluator[EvaluationCase, Done, None]):
    """Everything that is expected of a case; the judge apart."""

    expect: Expected

    def evaluate(self, ctx: Context) -> dict[str, EvaluationReason]:
        """Whether each thing is as expected, and why not."""
        return {
            name: EvaluationReason(value=reason is None, reason=reason) for name, reason in self._reasons(ctx.output)
        }

    def _reasons(self, done: Done) -> Iterator[tuple[str, str | None]]:
        expect, answer, transcript = self.expect, done.answer, done.transcript
        made = [ExpectedCall(name=call.tool_name, arguments=call.parameters) for call in transcript.calls]
        if expect.contains:
            missing = [text for text in expect.contains if text.casefold() not in answer.casefold()]
            yield "contains", f"{missing} not in {answer!r}" if missing else None
        if expect.lacks:
            present = [text for text in expect.lacks if text.casefold() in answer.casefold()]
            yield "lacks", f"{present} in {answer!r}" if present else None
        if expect.matches:
            missing = [pattern for pattern in expect.matches if re.search(pattern, answer) is None]
            yield "matches", f"{missing} not found in {answer!r}" if missing else None
        if expect.tools is not None:
            same = len(made) == len(expect.tools) and all(map(_fits, expect.tools, made))
            yield "tools", None if same else f"called {_shown(made)}, not {_shown(expect.tools)}"
        if expect.calls:
            absent = [call for call in expect.calls if not any(_fits(call, one) for one in made)]
            yield "calls", f"{_shown(absent)} not among {_shown(made)}" if absent else None
        if expect.asked is not None:
            asked = tuple(call.tool_name for call in transcript.asked)
            yield "asked", None if asked == expect.asked else f"asked for {asked}, not {expect.asked}"
        if "output" in expect.model_fields_set:
            yield "output", _differs(done.output, answer, expect.output)


@dataclass
class Judge(Evaluator[EvaluationCase, Done, None]):
    """Another model's word on the answer. It is shown what the user said, the answer, and the sentence."""

    sentence: str
    model: Model

    async def evaluate(self, ctx: Context) -> dict[str, EvaluationReason]:
        """The verdict, with the model's reason."""
        verdict = await judge_input_output(ctx.inputs.text, ctx.output.answer, self.sentence, self.model)
        return {"judge": EvaluationReason(value=verdict.pass_, reason=verdict.reason)}


def _fits(expected: ExpectedCall, call: ExpectedCall) -> bool:
    wanted, given = expected.arguments, call.arguments or {}
    same_name = expected.name == call.name
    return same_name and (wanted is None or all(name in given and given[name] == wanted[name] for name in wanted))


def _shown(calls: object) -> str:
    shown: Callable[[ExpectedCall], str] = lambda call: (  # noqa: E731
        call.name if call.arguments is None else f"{call.name}({json.dumps(call.arguments, ensure_ascii=False)})"
    )
    return f"[{', '.join(shown(call) for call in calls)}]" if isinstance(calls, list | tuple) else str(calls)


def _differs(output: JsonValue, answer: str, expected: JsonValue) -> str | None:
    try:
        value = json.loads(answer) if output is None else output
    except ValueError:
        return f"{answer!r} is no JSON"
    return None if value == expected else f"{json.dumps(value)}, not {json.dumps(expected)}"
