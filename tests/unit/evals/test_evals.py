"""Evaluations: cases from a file against an agent, a table, and an exit status."""

import json
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from dayfly.agents.sdk import AgentDefinition, AgentEvent, Answered, Turn
from scripts.evals.__main__ import main
from scripts.evals.cases import CannotEvaluate, read_cases
from scripts.evals.evaluation import ROOT, Evaluation, evaluate, find_agent, models_of

ORDER = {"name": "an order", "text": "Find order 1042"}


def write(folder: Path, *cases: object, name: str = "cases.yaml") -> Path:
    path = folder / name
    path.write_text(yaml.safe_dump({"cases": list(cases)}))
    return path


def run(path: Path, *options: str, agent: str = "orders") -> int:
    return main((agent, "--cases", str(path), *options))


@pytest.mark.parametrize("file", sorted((ROOT / "evals").glob("*.yaml")), ids=lambda file: file.stem)
def test_the_cases_that_come_along_pass(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Against the demo model."""
    assert main((file.stem,)) == 0
    assert f"{len(read_cases(file))} of {len(read_cases(file))} cases passed." in capsys.readouterr().out


HOLDS: dict[str, Any] = {
    "contains": ["KETTLE", "39.9"],
    "lacks": "saucer",
    "matches": r"\d+\.\d",
    "tools": [{"find_order": {"number": 1042}}],
    "calls": "find_order",
    "asked": [],
}
FAILS: dict[str, tuple[Any, str]] = {
    "contains": ("saucer", "['saucer'] not in"),
    "lacks": (["saucer", "kettle"], "['kettle'] in"),
    "matches": (r"^\d{9}$", "not found in"),
    "tools": ([], 'called [find_order({"number": 1042})], not []'),
    "calls": ({"find_order": {"number": 7}}, 'not among [find_order({"number": 1042})]'),
    "asked": ("find_order", "asked for (), not ('find_order',)"),
    "output": ({"a": 1}, "is no JSON"),
}


@pytest.mark.parametrize("kind", HOLDS)
def test_what_is_as_expected_passes(kind: str, tmp_path: Path) -> None:
    """Each kind of expectation by itself."""
    assert run(write(tmp_path, {**ORDER, "expect": {kind: HOLDS[kind]}})) == 0


@pytest.mark.parametrize("kind", FAILS)
def test_what_is_not_fails_and_is_told(kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A line says which case, which expectation, and what was there instead; the status is 1."""
    expected, told = FAILS[kind]
    assert run(write(tmp_path, {**ORDER, "expect": {kind: expected}})) == 1
    (line,) = [line for line in capsys.readouterr().out.splitlines() if line.startswith(f"an order: {kind}: ")]
    assert told in line


@pytest.mark.parametrize("answer", [Answered('{"a":[1,  null]}'), Answered("It is so.", output={"a": [1, None]})])
@pytest.mark.parametrize(("output", "status"), [({"a": [1, None]}, 0), ({"a": [1]}, 1), (None, 1)])
def test_an_output_is_compared_as_a_value(
    answer: Answered, output: object, status: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However it is written; a structured answer as the agent gave it."""

    class Writing:
        async def run(self, turn: Turn) -> AsyncIterator[AgentEvent]:
            yield answer

    monkeypatch.setattr("examples.agents.units.agent", Writing)
    assert (
        run(write(tmp_path, {"name": "it", "text": "Say it.", "expect": {"output": output}}), agent="units") == status
    )


def test_a_share_may_be_enough(tmp_path: Path) -> None:
    """On both sides of the threshold; an error of the agent counts as a failure."""
    good, bad = (
        {**ORDER, "name": name, "expect": {"contains": text}} for name, text in (("1", "kettle"), ("2", "cow"))
    )
    path = write(tmp_path, good, bad)
    assert run(path, "--threshold", "0.5") == 0
    assert run(path, "--threshold", "0.51") == 1


def test_the_report_is_json(tmp_path: Path) -> None:
    """With what was said, what was called, and why a case failed."""
    path = write(tmp_path, {**ORDER, "expect": {"contains": "kettle", "tools": []}})
    assert run(path, "--report", str(tmp_path / "report.json")) == 1
    report = json.loads((tmp_path / "report.json").read_text())
    assert (report["agent"], report["passed"], report["share_passed"]) == ("orders", False, 0.0)
    (case,) = report["cases"]
    assert (case["name"], case["passed"], case["tools"]) == ("an order", False, ["find_order"])
    assert "kettle" in case["answer"]
    assert case["checks"]["contains"] == {"passed": True, "reason": None}
    assert "called" in case["checks"]["tools"]["reason"]


WRONG: dict[str, tuple[str, str]] = {
    "no YAML": ("cases: [", "is no YAML"),
    "nothing": ("", "valid dictionary"),
    "no cases": ("cases: []", "cases: Tuple should have at least 1 item"),
    "no text": ("cases: [{name: a, expect: {contains: b}}]", "cases.0.text: Field required"),
    "nothing expected": ("cases: [{name: a, text: b, expect: {}}]", "cases.0.expect: Value error, nothing is expected"),
    "a slip": ("cases: [{name: a, text: b, expect: {contain: b}}]", "cases.0.expect.contain: Extra inputs"),
    "twice": (
        "cases: [{name: a, text: b, expect: {contains: b}}, {name: a, text: b, expect: {contains: b}}]",
        "cases named twice: a",
    ),
    "a history of nobody": (
        "cases: [{name: a, text: b, history: [{system: c}], expect: {contains: b}}]",
        "cases.0.history.0",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_file_is_one_line(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """That names the file and the place; nothing is run, and the status is 2."""
    content, told = WRONG[name]
    path = tmp_path / "cases.yaml"
    path.write_text(content)
    assert run(path) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.count("\n") == 1
    assert said.err.startswith(f"{path}: ")
    assert told in said.err


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("nobody",), "nobody.yaml: No such file"),
        (("nobody", "--cases", "evals/orders.yaml"), "there is no agent nobody"),
        (("../orders", "--cases", "evals/orders.yaml"), "no name of an agent"),
        (("orders", "--model", "nonsense:x"), "'nonsense:x'"),
        (("orders", "--judge", "nonsense:x"), "'nonsense:x'"),
    ],
)
def test_what_can_not_be_run_is_one_line(
    arguments: tuple[str, ...], told: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the status 2."""
    monkeypatch.chdir(ROOT)
    assert main(arguments) == 2
    said = capsys.readouterr().err
    assert told in said
    assert said.count("\n") == 1


async def test_without_a_judge_its_sentences_are_left_out() -> None:
    """The rest of the case is looked at."""
    cases = [case for case in read_cases(ROOT / "evals/orders.yaml") if case.expect.judge]
    (case,) = (await evaluate(Evaluation(agent="orders"), cases)).cases
    assert set(case.assertions) == {"contains"}


def test_the_agent_is_the_installed_one_else_the_example() -> None:
    """By the name that clients use."""
    assert callable(find_agent("units"))
    assert find_agent("assistant")
    with pytest.raises(CannotEvaluate):
        find_agent("__init__x")


def test_it_is_a_command() -> None:
    """As `make evals` calls it; the engine's layer knows nothing of pydantic-evals."""
    code = "import sys, dayfly.agents.testing, dayfly.aws.functions.engine; sys.exit('pydantic_evals' in sys.modules)"
    env = {"PYTHONPATH": f"{ROOT / 'layers/dayfly'}:{ROOT}", "AWS_DEFAULT_REGION": "eu-central-1"}
    subprocess.run([sys.executable, "-c", code], env=env, check=True, timeout=60)
    command = [sys.executable, "-m", "scripts.evals", "orders"]
    done = subprocess.run(command, env=env, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert "4 of 4 cases passed." in done.stdout


def test_a_key_of_the_dotenv_file_reaches_the_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As for `make run`; what the shell says stands over it."""
    (tmp_path / "env").write_text("OPENAI_API_KEY=of-the-file\nANTHROPIC_API_KEY=of-the-file\n")
    monkeypatch.setenv("DOTENV_FILE", str(tmp_path / "env"))
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    monkeypatch.setenv("ANTHROPIC_API_KEY", "of-the-shell")
    agent = AgentDefinition(instructions="Help.")
    models = models_of(Evaluation(agent="helper", model="openai:any"), agent)
    assert (models.keys["openai"], models.keys["anthropic"]) == ("of-the-file", "of-the-shell")
