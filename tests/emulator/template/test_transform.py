"""What the SAM translator makes of a template, and what it fails with."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from emulator.template import TemplateError
from tests.emulator.template.support import SAM, read


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "Resources: {Api: {Type: 'AWS::Serverless::WebSocketApi', Properties: {RouteSelectionExpression: a, "
            "Routes: {a: b}}}}",
            "Api: the SAM translator failed: AttributeError: ",
        ),
        (
            "Resources: {F: {Type: 'AWS::Serverless::Function', Properties: "
            "{Runtime: python3.13, Handler: a.b, CodeUri: ., Tags: &tags {a: *tags}}}}",
            "F: the SAM translator failed: RecursionError: ",
        ),
        (
            "Globals: {Funktion: {}}\nResources: {T: {Type: 'AWS::SNS::Topic'}}",
            "the SAM translator refuses the template: 'Globals' section is invalid. 'Funktion' is not supported",
        ),
        (
            "Resources: {F: {Type: 'AWS::Serverless::Function', Properties: {CodeUri: 3}}}",
            "the SAM translator refuses the template: Resource with id [F] is invalid.",
        ),
        ("Resources: {T: }", "the SAM translator refuses the template: Structure of the SAM template is invalid."),
    ],
)
def test_whatever_the_translator_raises_is_one_line(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, text: str, said: str
) -> None:
    """With the resource where it is known, and without a traceback in the log."""
    with caplog.at_level(logging.ERROR), pytest.raises(TemplateError) as error:
        read(tmp_path, f"{SAM}{text}")
    assert str(error.value).startswith(said)
    assert "\n" not in str(error.value)
    assert caplog.records == []


def test_a_nested_application_is_not_looked_up(tmp_path: Path) -> None:
    """It does not run here, and nobody is asked for it."""
    location = "{ApplicationId: 'arn:aws:serverlessrepo:us-east-1:1:applications/a', SemanticVersion: 1.0.0}"
    text = f"Resources: {{A: {{Type: 'AWS::Serverless::Application', Properties: {{Location: {location}}}}}}}"
    application = read(tmp_path, f"{SAM}{text}")
    assert application.unsupported == ("AWS::CloudFormation::Stack: not run here (A)",)
