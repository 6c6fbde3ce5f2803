"""The variables with which functions find everything, as a function sees them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path

import boto3
import pytest
from botocore.config import Config

from tests.live.kit.emulator import running

TEMPLATE = """
Transform: AWS::Serverless-2016-10-31
Resources:
  Chat:
    Type: AWS::ApiGatewayV2::Api
    Properties: {Name: chat, ProtocolType: WEBSOCKET, RouteSelectionExpression: $request.body.action}
  Stage:
    Type: AWS::ApiGatewayV2::Stage
    Properties: {ApiId: !Ref Chat, StageName: live}
  Show:
    Type: AWS::Serverless::Function
    Properties:
      Runtime: python3.13
      Handler: index.handler
      InlineCode: |
        import os
        def handler(event, context):
            return {name: value for name, value in os.environ.items()}
      Environment:
        Variables:
          CALLBACK: !Sub https://${Chat}.execute-api.${AWS::Region}.amazonaws.com/live/@connections
          ELSEWHERE: https://abcdef1234.execute-api.us-east-1.amazonaws.com/live
"""


@pytest.fixture
def template(tmp_path: Path) -> Path:
    """An application with one function, which shows its variables."""
    path = tmp_path / "template.yaml"
    path.write_text(TEMPLATE)
    return path


def shown(template: Path, *options: str, shell: Mapping[str, str] | None = None) -> dict[str, str]:
    """The variables of the function under an emulator with these options, started in a shell that has these."""
    with ExitStack() as stack:
        with pytest.MonkeyPatch.context() as patch:
            for name, value in (shell or {}).items():
                patch.setenv(name, value)
            emulator = stack.enter_context(running(template, *options))
        client = boto3.client(
            "lambda", endpoint_url=emulator.url, region_name="us-east-1", aws_access_key_id="x",
            aws_secret_access_key="x", config=Config(retries={"total_max_attempts": 1}),
        )  # fmt: skip
        variables: dict[str, str] = json.loads(client.invoke(FunctionName="Show")["Payload"].read())
        return variables


def test_every_service_is_here(template: Path) -> None:
    """Every endpoint is on loopback, nothing of the developer's AWS files or shell gets in, and the API's address is
    that of this machine; another API's stays."""
    found = shown(template, shell={"AWS_PROFILE": "the-developers", "AWS_CA_BUNDLE": "/no/such/file"})
    endpoints = {value for name, value in found.items() if name.startswith("AWS_ENDPOINT_URL")}
    assert "AWS_ENDPOINT_URL" in found
    assert all(value.startswith("http://127.0.0.1:") for value in endpoints)
    assert (found["AWS_CONFIG_FILE"], found["AWS_SHARED_CREDENTIALS_FILE"]) == ("/dev/null", "/dev/null")
    assert "AWS_PROFILE" not in found
    assert found["CALLBACK"].startswith("https://127.0.0.1:")
    assert found["CALLBACK"].endswith("/live/@connections")
    assert found["ELSEWHERE"] == "https://abcdef1234.execute-api.us-east-1.amazonaws.com/live"
    assert found["AWS_CA_BUNDLE"] != found["REQUESTS_CA_BUNDLE"] == found["SSL_CERT_FILE"]


def test_a_real_service_may_be_named(template: Path) -> None:
    """An https endpoint that the developer names is left as it is, and botocore trusts its authority."""
    endpoint = "https://bedrock-runtime.us-east-1.amazonaws.com"
    found = shown(template, "--env", f"AWS_ENDPOINT_URL_BEDROCK_RUNTIME={endpoint}")
    assert found["AWS_ENDPOINT_URL_BEDROCK_RUNTIME"] == endpoint
    assert found["AWS_CA_BUNDLE"] == found["REQUESTS_CA_BUNDLE"] == found["SSL_CERT_FILE"]
