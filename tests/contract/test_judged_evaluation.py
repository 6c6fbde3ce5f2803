"""An evaluation whose judge is a model's server."""

import json

import pytest
from pydantic import JsonValue

from scripts.evals.cases import read_cases
from scripts.evals.evaluation import ROOT, Evaluation, evaluate, share_passed
from tests.contract.scripted_model import ScriptedModel, Whole, scripted_model


def verdict(server: ScriptedModel, *, passes: bool) -> Whole:
    """The judge's answer, by the tool that it is asked to call."""
    arguments = json.dumps({"reason": "It is rude.", "pass": passes, "score": 1.0 if passes else 0.0})
    call: JsonValue = {"id": "call-1", "type": "function", "function": {"name": "final_result", "arguments": arguments}}
    message: JsonValue = {"role": "assistant", "content": None, "tool_calls": [call]}
    choice: JsonValue = {"index": 0, "message": message, "finish_reason": "tool_calls"}
    return Whole(
        200,
        {"id": "1", "object": "chat.completion", "created": 1, "model": "judge", "choices": [choice]},
    )


@pytest.mark.parametrize("passes", [True, False])
async def test_a_judges_verdict_counts(monkeypatch: pytest.MonkeyPatch, *, passes: bool) -> None:
    """It is shown the sentence and the answer, and the agent has a model of its own."""
    cases = [case for case in read_cases(ROOT / "evals/orders.yaml") if case.expect.judge]
    with scripted_model() as server:
        monkeypatch.setenv("OPENAI_API_KEY", "the-key")
        monkeypatch.setenv("MODEL_BASE_URL", f"{server.url}/v1")
        server.play(verdict(server, passes=passes))
        report = await evaluate(Evaluation(agent="orders", judge="openai:judge"), cases)
        (body,) = server.bodies
    (case,) = report.cases
    assert case.assertions["judge"].value is passes
    assert share_passed(report) == float(passes)
    said = json.dumps(body)
    for part in ("polite", "There is no order 7", "Find order 7", '"model": "judge"'):
        assert part in said
    assert "find_order(" not in said
