"""Reading a template's text."""

from __future__ import annotations

from pathlib import Path

import pytest

from emulator.template import TemplateError
from emulator.template.document import parse

TEMPLATE = Path("template.yaml")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "Resources:\n  Api:\n    Routes:\n      on: {}",
            ":4:7: Resources.Api.Routes has the key on, in YAML a boolean",
        ),
        ("Resources: {F: {Variables: {ON: '1'}}}", ":1:29: Resources.F.Variables has the key ON, in YAML a boolean"),
        ("Globals: {Function: {TRUE: true}}", ":1:22: Globals.Function has the key TRUE, in YAML a boolean"),
        (
            "Mappings: {Accounts: {123456789012: {}}}",
            ":1:23: Mappings.Accounts has the key 123456789012, in YAML a number",
        ),
        ("Mappings: {1.10: {}}", ":1:12: Mappings has the key 1.10, in YAML a number"),
        ("Resources: {A: [{~: x}]}", ":1:18: Resources.A.0 has the key ~, in YAML null"),
        ("2024-01-31: x", ":1:1: the template has the key 2024-01-31, in YAML a date"),
        ("Resources: {!Ref A: x}", ":1:13: Resources has a key that is no string"),
        ("Resources: {[a, b]: x}", ":1:13: Resources has a key that is no string"),
    ],
)
def test_a_key_that_is_no_string_is_refused(text: str, said: str) -> None:
    """One line with its place, as CloudFormation takes strings alone as keys."""
    with pytest.raises(TemplateError) as error:
        parse(text, TEMPLATE)
    assert str(error.value).startswith(f"{TEMPLATE}{said}")
    assert "\n" not in str(error.value)


def test_a_quoted_key_is_a_string() -> None:
    """`on`, a number and a date may be keys."""
    text = "Resources: {'on': 1, '123456789012': 2, \"2024-01-31\": 3}"
    assert parse(text, TEMPLATE)["Resources"] == {"on": 1, "123456789012": 2, "2024-01-31": 3}


def test_values_are_as_written_with_dates_as_texts() -> None:
    """Short forms, anchors and merged mappings are followed; the version of a policy is a text."""
    text = "Shared: &shared {Version: 2012-10-17}\nResources:\n  A: {<<: *shared, B: !GetAtt C.Arn, D: !Sub [x, {}]}\n"
    assert parse(text, TEMPLATE)["Resources"] == {
        "A": {"Version": "2012-10-17", "B": {"Fn::GetAtt": ["C", "Arn"]}, "D": {"Fn::Sub": ["x", {}]}}
    }
