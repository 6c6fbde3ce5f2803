"""The SAM transform, run offline."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from scripts.transform import main

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def transformed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The template as CloudFormation gets it."""
    target = tmp_path_factory.mktemp("transform") / "out.json"
    assert main(str(ROOT / "template.yaml"), str(target)) == 0
    document: dict[str, Any] = json.loads(target.read_text(encoding="utf-8"))
    return document


def references(value: object) -> Iterator[str]:
    """Every logical id that an intrinsic function within `value` names."""
    if isinstance(value, list):
        for each in value:
            yield from references(each)
    elif isinstance(value, dict):
        for key, inner in value.items():
            if key in {"Ref", "DependsOn"}:
                yield from [inner] if isinstance(inner, str) else inner
            elif key == "Fn::GetAtt":
                yield inner[0]
            elif key == "Fn::Sub":
                text = inner if isinstance(inner, str) else inner[0]
                yield from re.findall(r"\$\{(\w+)(?:\.\w+)?\}", text)
                yield from references([] if isinstance(inner, str) else inner[1:])
            else:
                yield from references(inner)


def test_no_resource_waits_for_itself(transformed: dict[str, Any]) -> None:
    """Following references from any resource never leads back to it: CloudFormation could not create it."""
    resources = transformed["Resources"]
    waits_for = {name: set(references(resource)) & set(resources) for name, resource in resources.items()}
    while ready := {name for name, others in waits_for.items() if not others}:
        waits_for = {name: others - ready for name, others in waits_for.items() if name not in ready}
    assert waits_for == {}


def test_only_cloudformation_is_left(transformed: dict[str, Any]) -> None:
    """After the transform no resource is of SAM's own kinds."""
    kinds = {resource["Type"] for resource in transformed["Resources"].values()}
    assert not {kind for kind in kinds if kind.startswith("AWS::Serverless::")}


def test_no_managed_policy_is_attached_unseen(transformed: dict[str, Any]) -> None:
    """The roles are those of the template: SAM adds none, and no policy to ours."""
    roles = {name for name, resource in transformed["Resources"].items() if resource["Type"] == "AWS::IAM::Role"}
    named = {
        f"{name}Role" for name in ("Authorizer", "Connection", "Router", "Engine", "Recovery", "ApiGatewayAccount")
    }
    assert roles == named


def test_a_refused_template_says_why(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Where SAM refuses a template, the reason is shown and the exit code is 1."""
    source = tmp_path / "template.yaml"
    source.write_text("Resources: {F: {Type: 'AWS::Serverless::Function', Properties: {Runtime: [x]}}}", "utf-8")
    assert main(str(source), str(tmp_path / "out.json")) == 1
    assert "[F]" in capsys.readouterr().err
