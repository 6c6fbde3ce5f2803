"""Runs the cases, and tells what came of them."""

import importlib
import json
import os
import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pydantic_ai.models import Model
from pydantic_evals import Case, Dataset
from pydantic_evals.evaluators import Evaluator
from pydantic_evals.reporting import EvaluationReport, ReportCase

from dayfly.agents.models.factory import DEMO, Models
from dayfly.agents.sdk import AgentDefinition, AgentRecipe
from dayfly.agents.testing import ask
from dayfly.aws.models import models_for
from dayfly.aws.settings import EngineSettings
from dayfly.errors import ConfigurationError
from dayfly.protocol import limits
from scripts.evals.cases import CannotEvaluate, EvaluationCase
from scripts.evals.evaluators import Done, Expectations, Judge
from scripts.run import engine_variables, local_variables

ROOT: Final = Path(__file__).parents[2]
AT_ONCE: Final = 4
"""Cases that run beside each other: providers throttle."""

Report = EvaluationReport[EvaluationCase, Done, None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """What is evaluated: an agent by its name, a `MODEL` setting for it and one for the judge; `None`: the agent's own
    model or the demo, and no judge."""

    agent: str
    model: str | None = None
    judge: str | None = None


async def evaluate(evaluation: Evaluation, cases: Sequence[EvaluationCase]) -> Report:
    """Runs the cases. Raises `CannotEvaluate`."""
    agent = find_agent(evaluation.agent)
    try:
        models = models_of(evaluation, agent)
    except (ConfigurationError, UnicodeDecodeError) as error:
        raise CannotEvaluate(str(error)) from error

    async def run(case: EvaluationCase) -> Done:
        history = [said.message for said in case.history]
        return Done(
            await ask(agent, case.text, history=history, approve=case.approve, model=evaluation.model, models=models)
        )

    async with AsyncExitStack() as stack:
        judging: Model | None = None
        try:
            if isinstance(agent, AgentDefinition):
                models(evaluation.model or agent.model or DEMO)
            if evaluation.judge is not None:
                judging = await stack.enter_async_context(models(evaluation.judge)())
        except ConfigurationError as error:
            raise CannotEvaluate(str(error)) from error
        dataset: Dataset[EvaluationCase, Done, None] = Dataset(
            name=evaluation.agent,
            cases=[Case(name=case.name, inputs=case, evaluators=tuple(_evaluators(case, judging))) for case in cases],
        )
        return await dataset.evaluate(run, max_concurrency=AT_ONCE, progress=False, name=evaluation.agent)


def _evaluators(case: EvaluationCase, judging: Model | None) -> Iterator[Evaluator[EvaluationCase, Done, None]]:
    yield Expectations(case.expect)
    if case.expect.judge is not None and judging is not None:
        yield Judge(case.expect.judge, judging)


def find_agent(name: str) -> AgentDefinition | AgentRecipe:
    """The installed agent with this name, else the example. Raises `CannotEvaluate`."""
    if not re.fullmatch(limits.ENTITY_ID_PATTERN, name):
        raise CannotEvaluate(f"{name!r} is no name of an agent")
    engine = str(ROOT / "functions/engine")
    if engine not in sys.path:
        sys.path.insert(0, engine)
    for package, place in (("agents", "functions/engine/agents"), ("examples.agents", "examples/agents")):
        if not (ROOT / place / f"{name}.py").exists() and not (ROOT / place / name / "__init__.py").exists():
            continue
        try:
            agent = getattr(importlib.import_module(f"{package}.{name}"), "agent", None)
        except Exception as error:  # somebody's own file, which can raise whatever there is
            said = " ".join(f"{type(error).__name__}: {error}".split())
            raise CannotEvaluate(f"the agent {name} can not be loaded: {said}") from error
        if not isinstance(agent, AgentDefinition) and not callable(agent):
            raise CannotEvaluate(f"{place}/{name}.py has no `agent`")
        return agent
    raise CannotEvaluate(f"there is no agent {name} in functions/engine/agents or examples/agents")


def models_of(evaluation: Evaluation, agent: AgentDefinition | AgentRecipe) -> Models:
    """Where models are found from a developer's machine: keys and addresses come from the environment and from `.env`,
    as for `make run`."""
    own = agent.model if isinstance(agent, AgentDefinition) else None
    named = [setting for setting in (evaluation.model, own, evaluation.judge) if setting is not None]
    asked = {"MODEL": evaluation.model or own or DEMO, "TABLE_NAME": "none", "AWS_LAMBDA_FUNCTION_NAME": "none"}
    told = engine_variables(os.environ, local_variables(os.environ), Path.home())
    return models_for(named, EngineSettings.read({**os.environ, **told, **asked}))


def passed(case: ReportCase[EvaluationCase, Done, None]) -> bool:
    """Whether everything was as expected, and could be looked at."""
    return not case.evaluator_failures and all(result.value for result in case.assertions.values())


def share_passed(report: Report) -> float:
    """Of all cases, those that failed with an error among them."""
    return sum(map(passed, report.cases)) / (len(report.cases) + len(report.failures))


def told(report: Report) -> str:
    """A line for each thing that was not as expected, and the sum."""
    lines = [
        f"{case.name}: {name}: {result.reason or 'no'}"
        for case in report.cases
        for name, result in case.assertions.items()
        if not result.value
    ]
    lines += [
        f"{case.name}: {failure.name}: {failure.error_message}"
        for case in report.cases
        for failure in case.evaluator_failures
    ]
    lines += [f"{failure.name}: {failure.error_message}" for failure in report.failures]
    count = len(report.cases) + len(report.failures)
    return "\n".join([*lines, f"{sum(map(passed, report.cases))} of {count} cases passed."])


def as_json(report: Report, evaluation: Evaluation, *, threshold: float) -> str:
    """The report for other programs."""
    cases = [
        {
            "name": case.name,
            "passed": passed(case),
            "answer": case.output.answer,
            "tools": list(case.output.transcript.tools),
            "checks": {
                name: {"passed": bool(one.value), "reason": one.reason} for name, one in case.assertions.items()
            },
            "errors": [failure.error_message for failure in case.evaluator_failures],
            "seconds": round(case.task_duration, 3),
        }
        for case in report.cases
    ]
    failures = [{"name": one.name, "passed": False, "errors": [one.error_message]} for one in report.failures]
    share = share_passed(report)
    whole = {
        "agent": evaluation.agent,
        "model": evaluation.model or DEMO,
        "judge": evaluation.judge,
        "share_passed": share,
        "threshold": threshold,
        "passed": share >= threshold,
        "cases": [*cases, *failures],
    }
    return json.dumps(whole, ensure_ascii=False, indent=2) + "\n"
