"""The variables with which functions find everything, as a function sees them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path

import boto3
import pytest
from botocore.config import Config

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


OTHER = """
  Other:
    Type: AWS::Serverless::Function
    Properties:
      Runtime: python3.13
      Handler: index.handler
      InlineCode: |
        import os
        def handler(event, context):
            return dict(os.environ)
"""


def test_a_key_reaches_one_function_alone(tmp_path: Path) -> None:
    """It stands over the template's variable and `--env`'s; the other function, and every process that the emulator has
    started besides, is without it; a variable that the shell does not have is left out."""
    template = tmp_path / "template.yaml"
    template.write_text(TEMPLATE + OTHER)
    with ExitStack() as stack:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("THE_KEY", "sk-only-for-one")
            patch.setenv("ELSEWHERE", "https://passed.example")
            options = (
                "--env",
                "THE_KEY=for-all",
                "--pass",
                *(f"Show={name}" for name in ("THE_KEY", "ELSEWHERE", "NO")),
            )
            emulator = stack.enter_context(running(template, *options))
        client = boto3.client(
            "lambda", endpoint_url=emulator.url, region_name="us-east-1", aws_access_key_id="x",
            aws_secret_access_key="x", config=Config(retries={"total_max_attempts": 1}),
        )  # fmt: skip
        one, other = (json.loads(client.invoke(FunctionName=name)["Payload"].read()) for name in ("Show", "Other"))
        with_key = [pid for pid in _below(emulator.process.pid) if b"sk-only-for-one" in _environment(pid)]
        assert len(with_key) == 1, "the function's own process"
        assert not any("sk-only-for-one" in line for line in emulator.lines)
        client.close()
    assert (one["THE_KEY"], one["ELSEWHERE"]) == ("sk-only-for-one", "https://passed.example")
    assert "NO" not in one
    assert other["THE_KEY"] == "for-all"


def _below(parent: int) -> list[int]:
    """The processes that this one has started, and those of theirs (Linux)."""
    children: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        children.setdefault(int(fields[1]), []).append(int(stat.parent.name))
    found = list(children.get(parent, ()))
    for each in found:
        found += children.get(each, ())
    return found


def _environment(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/environ").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return b""


def test_a_function_that_is_not_there_is_passed_nothing(template: Path) -> None:
    """The emulator says so, and which there are."""
    code, lines = refused("--template", str(template), "--pass", "Shwo=THE_KEY")
    assert code == 1
    assert "--pass: no function Shwo; there are: Show" in lines[-1]


def test_a_saved_requirements_file_asks_for_a_start(tmp_path: Path) -> None:
    """A file that is new, or was changed, is named; the function goes on as it was."""
    (tmp_path / "code").mkdir()
    (tmp_path / "code/app.py").write_text("def handler(event, context):\n    return 1\n")
    template = tmp_path / "template.yaml"
    template.write_text(
        "Transform: AWS::Serverless-2016-10-31\nResources:\n  Show:\n    Type: AWS::Serverless::Function\n"
        "    Properties: {Runtime: python3.13, Handler: app.handler, CodeUri: code}\n"
    )
    with running(template) as emulator:
        (tmp_path / "code/requirements.txt").write_text("idna\n")
        emulator.wait_for_line("code/requirements.txt changed: end the emulator and start it again", wait_s=20)
