"""Parameters."""

from __future__ import annotations

import pytest

from emulator.template.parameters import parameter_values
from emulator.template.values import Object, TemplateError

DECLARED: Object = {
    "Mode": {"Type": "String", "Default": "a", "AllowedValues": ["a", "b"]},
    "Url": {"Type": "String", "Default": "https://x", "AllowedPattern": "^https://[^ ]+$"},
    "Size": {"Type": "Number", "Default": 5, "MinValue": 1, "MaxValue": 10},
    "Name": {"Type": "String", "Default": "abc", "MinLength": 2, "MaxLength": 4},
    "Zones": {"Type": "CommaDelimitedList", "Default": "x, y"},
}


def test_defaults_hold_and_values_override_them() -> None:
    """Numbers become strings, lists are split."""
    assert parameter_values(DECLARED, {"Mode": "b"}) == {
        "Mode": "b",
        "Url": "https://x",
        "Size": "5",
        "Name": "abc",
        "Zones": ["x", "y"],
    }


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Mode", "c"),
        ("Url", "http://x"),
        ("Url", "xhttps://x"),
        ("Size", "0"),
        ("Size", "11"),
        ("Size", "many"),
        ("Name", "a"),
        ("Name", "abcde"),
        ("Other", "x"),
    ],
)
def test_a_value_outside_its_declaration_is_refused(name: str, value: str) -> None:
    """AllowedValues, AllowedPattern (the whole value), bounds and lengths are enforced."""
    with pytest.raises(TemplateError, match=name):
        parameter_values(DECLARED, {name: value})


def test_a_parameter_without_default_needs_a_value() -> None:
    """As CloudFormation refuses to create the stack."""
    with pytest.raises(TemplateError, match="Key"):
        parameter_values({"Key": {"Type": "String"}}, {})


def test_a_pattern_that_is_none_is_one_line() -> None:
    """It names the parameter."""
    with pytest.raises(TemplateError, match=r"^parameter Key: AllowedPattern '\[' can't be read: "):
        parameter_values({"Key": {"Type": "String", "AllowedPattern": "[", "Default": "x"}}, {})
