"""Templates for the tests: written into a folder, read with a cache of their own."""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Mapping
from pathlib import Path

from emulator.contract import Application, FunctionSpec
from emulator.template import load

HERE = f"python{sys.version_info.major}.{sys.version_info.minor}"
"""The runtime that the emulator itself runs on: of any other it is told."""

SAM = "Transform: AWS::Serverless-2016-10-31\n"

FUNCTIONS = f"""
  Open: {{Type: AWS::Serverless::Function, Properties: {{CodeUri: src, Handler: app.open, Runtime: {HERE}}}}}
  Send:
    Type: AWS::Serverless::Function
    Properties: {{CodeUri: src, Handler: app.send, Runtime: {HERE}, AutoPublishAlias: live}}
  OpenPermission:
    Type: AWS::Lambda::Permission
    Properties: {{Action: "lambda:InvokeFunction", FunctionName: !Ref Open, Principal: apigateway.amazonaws.com}}
  SendPermission:
    Type: AWS::Lambda::Permission
    Properties: {{Action: "lambda:InvokeFunction", FunctionName: !Ref Send.Alias, Principal: apigateway.amazonaws.com}}
"""
"""Two functions that API Gateway may invoke, the second by an alias; their code is in `src`."""


def read(folder: Path, text: str, *, parameters: Mapping[str, str] | None = None) -> Application:
    """The application of a template with this text in `folder`."""
    path = folder / "template.yaml"
    path.write_text(textwrap.dedent(text), encoding="utf-8")
    return load(path, parameters=parameters)


def functions(application: Application) -> dict[str, FunctionSpec]:
    """The functions by logical id."""
    return {spec.logical_id: spec for spec in application.functions}


def told(application: Application) -> list[str]:
    """What is told of resources that others' templates have, but for the permissions that every one has."""
    return [line for line in (*application.unsupported, *application.notes) if not line.startswith("AWS::IAM::")]
