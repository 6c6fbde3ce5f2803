"""`python -m emulator.invoke`."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
TEMPLATE = """
Transform: AWS::Serverless-2016-10-31
Resources:
  Table:
    Type: AWS::DynamoDB::Table
    Properties:
      BillingMode: PAY_PER_REQUEST
      AttributeDefinitions: [{AttributeName: pk, AttributeType: S}]
      KeySchema: [{AttributeName: pk, KeyType: HASH}]
  Fn:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: .
      Handler: app.handler
      Runtime: python3.13
      Timeout: 30
      Environment: {Variables: {TABLE: !Ref Table, OTHER: a}}
"""
HANDLER = """
import json, os
import boto3

def handler(event, context):
    if "fail" in event:
        raise ValueError(event["fail"])
    table = boto3.resource("dynamodb").Table(os.environ["TABLE"])
    table.put_item(Item={"pk": "a"})
    boto3.client("apigatewaymanagementapi").post_to_connection(ConnectionId="c1", Data=b"a frame")
    boto3.client("lambda").invoke(FunctionName="Engine", InvocationType="Event", Payload=b'{"b": 2}')
    return {"rows": table.scan()["Count"], "other": os.environ["OTHER"]}
"""


def run(folder: Path, event: object, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command on an event."""
    (folder / "template.yaml").write_text(TEMPLATE, encoding="utf-8")
    (folder / "app.py").write_text(HANDLER, encoding="utf-8")
    command = [sys.executable, "-m", "emulator.invoke", "--template", str(folder / "template.yaml"), "--event", "-"]
    return subprocess.run(
        [*command, *arguments],
        input=json.dumps(event),
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_an_event_runs_with_its_state_and_shows_what_it_sends(tmp_path: Path) -> None:
    """The answer on standard output; log, posted frames and further invocations on standard error."""
    done = run(tmp_path, {}, "--function", "Fn", "--env", "OTHER=b")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {"rows": 1, "other": "b"}
    assert "[POST @connections/c1] a frame" in done.stderr
    assert '[Invoke Engine] {"b": 2}' in done.stderr
    assert "[Fn] REPORT RequestId" in done.stderr


def test_a_function_error_is_exit_code_1(tmp_path: Path) -> None:
    """The error JSON is printed all the same."""
    done = run(tmp_path, {"fail": "no"}, "--function", "Fn")
    assert done.returncode == 1
    assert json.loads(done.stdout)["errorType"] == "ValueError"


def test_an_unknown_function_is_one_line(tmp_path: Path) -> None:
    """Exit code 2, with the names that exist."""
    done = run(tmp_path, {}, "--function", "Other")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "emulator: the template has no function Other, but Fn\n"
