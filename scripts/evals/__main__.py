"""`python -m scripts.evals AGENT [--cases FILE] [--model SETTING]`: exits with 0 where enough cases have passed, with 1
where not, and with 2 where they could not be run."""

import argparse
import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path

from scripts.evals.cases import CannotEvaluate, read_cases
from scripts.evals.evaluation import ROOT, Evaluation, as_json, evaluate, share_passed, told


def main(arguments: Sequence[str] | None = None) -> int:
    """Evaluates an agent, prints a table, and returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m scripts.evals", description=__doc__)
    parser.add_argument("agent", help="its name, as clients ask for it")
    parser.add_argument("--cases", type=Path, help="a YAML or JSON file; by default evals/AGENT.yaml")
    parser.add_argument("--model", help="a MODEL setting; by default the agent's own, else the demo model")
    parser.add_argument("--judge", help="a MODEL setting for the sentences under `judge`; by default none are judged")
    parser.add_argument("--threshold", type=_share, default=1.0, help="the share of cases that must pass, 0 to 1")
    parser.add_argument("--report", type=Path, help="where to write the results as JSON")
    given = parser.parse_args(arguments)
    evaluation = Evaluation(agent=given.agent, model=given.model, judge=given.judge)
    try:
        cases = read_cases(given.cases or ROOT / "evals" / f"{given.agent}.yaml")
        report = asyncio.run(evaluate(evaluation, cases))
        if given.report is not None:
            given.report.write_text(as_json(report, evaluation, threshold=given.threshold))
    except (CannotEvaluate, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    report.print(width=120, include_errors=False, include_evaluator_failures=False)
    sys.stdout.write(f"{told(report)}\n")
    return 0 if share_passed(report) >= given.threshold else 1


def _share(text: str) -> float:
    share = float(text)
    if not 0 <= share <= 1:
        raise argparse.ArgumentTypeError("it is a share, from 0 to 1")
    return share


if __name__ == "__main__":
    sys.exit(main())
