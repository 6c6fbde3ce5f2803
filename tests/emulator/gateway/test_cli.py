"""The emulator as a program, with a small application and a real client."""

from __future__ import annotations

import socket
from pathlib import Path

import aiohttp
import pytest

from tests.live.kit.client import opened
from tests.live.kit.emulator import refused, running

TEMPLATE = """
Transform: AWS::Serverless-2016-10-31
Resources:
  Chat:
    Type: AWS::ApiGatewayV2::Api
    Properties: {Name: chat, ProtocolType: WEBSOCKET, RouteSelectionExpression: $request.body.action}
  Stage:
    Type: AWS::ApiGatewayV2::Stage
    Properties: {ApiId: !Ref Chat, StageName: live}
  Route:
    Type: AWS::ApiGatewayV2::Route
    Properties: {ApiId: !Ref Chat, RouteKey: $default, Target: !Sub "integrations/${Integration}"}
  Integration:
    Type: AWS::ApiGatewayV2::Integration
    Properties:
      ApiId: !Ref Chat
      IntegrationType: AWS_PROXY
      IntegrationUri: !Sub "arn:aws:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/${Echo.Arn}/invocations"
  Second:
    Type: AWS::ApiGatewayV2::Api
    Properties: {Name: second, ProtocolType: WEBSOCKET, RouteSelectionExpression: $request.body.kind}
  SecondStage:
    Type: AWS::ApiGatewayV2::Stage
    Properties: {ApiId: !Ref Second, StageName: live}
  SecondRoute:
    Type: AWS::ApiGatewayV2::Route
    Properties: {ApiId: !Ref Second, RouteKey: other}
  Echo:
    Type: AWS::Serverless::Function
    Properties: {CodeUri: src, Handler: app.handler, Runtime: python3.13, Timeout: 10}
"""

HANDLER = """
import os
import boto3

client = boto3.client("apigatewaymanagementapi")

def handler(event, context):
    text = event["body"] + os.environ["SUFFIX"]
    client.post_to_connection(ConnectionId=event["requestContext"]["connectionId"], Data=text.encode())
    return {"statusCode": 200}
"""


@pytest.fixture
def template(tmp_path: Path) -> Path:
    """An application that echoes through `@connections`."""
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "app.py").write_text(HANDLER)
    (tmp_path / "template.yaml").write_text(TEMPLATE)
    return tmp_path / "template.yaml"


async def test_a_template_runs(template: Path) -> None:
    """A message comes back through a real function, which was told the address; a second API has its own port."""
    with running(template, "--env", "SUFFIX=@{url}") as emulator:
        first, second = emulator.websockets
        async with aiohttp.ClientSession() as http, http.get(f"{emulator.url}/_emulator/health") as health:
            assert health.status == 200
        async with opened(second) as client:
            await client.send_raw("hello")
            assert "Forbidden" in await client.text()
        async with opened(first) as client:
            await client.send_raw("hello")
            assert await client.text() == f"hello@{emulator.url}"


def test_a_busy_port_is_one_clear_line(template: Path) -> None:
    """The port is named, exit code 1, no traceback."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        code, lines = refused("--template", str(template), "--port", str(port))
    assert code == 1
    assert lines == [f"emulator: cannot listen on 127.0.0.1:{port}: Address already in use"]


def test_a_missing_template_is_one_clear_line(tmp_path: Path) -> None:
    """The file is named, exit code 1, no traceback."""
    code, lines = refused("--template", str(tmp_path / "none.yaml"))
    assert code == 1
    assert len(lines) == 1
    assert "none.yaml" in lines[0]


@pytest.mark.parametrize(
    ("option", "value"),
    [("--lose-events", "Nobody=1"), ("--fault", '{"kind": "event_lost", "function": "Nobody"}')],
)
def test_a_fault_of_an_unknown_function_is_one_clear_line(template: Path, option: str, value: str) -> None:
    """It and the functions that exist are named, exit code 1, no traceback."""
    code, lines = refused("--template", str(template), option, value)
    assert code == 1
    assert lines == [f"emulator: {option}: no function Nobody; there are: Echo"]
