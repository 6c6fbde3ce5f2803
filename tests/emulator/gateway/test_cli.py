"""The emulator as a program, with a small application and a real client."""

from __future__ import annotations

import asyncio
import re
import signal
import socket
import subprocess
import sys
from asyncio.subprocess import PIPE, STDOUT, Process
from pathlib import Path

import aiohttp
import pytest
from websockets.asyncio.client import connect

ROOT = Path(__file__).resolve().parents[3]

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


async def start(*arguments: str) -> Process:
    """Start the emulator."""
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "emulator", *arguments, cwd=ROOT, stdout=PIPE, stderr=STDOUT
    )


async def output_until(process: Process, pattern: str) -> re.Match[str]:
    """Read lines until one matches."""
    assert process.stdout is not None
    async with asyncio.timeout(60):
        while line := (await process.stdout.readline()).decode():
            if match := re.search(pattern, line):
                return match
    raise AssertionError(f"no line with {pattern}")


def descendants(pid: int) -> set[int]:
    """The live processes below one."""
    found: set[int] = set()
    listing = subprocess.run(["ps", "-eo", "pid=,ppid="], capture_output=True, check=True, text=True).stdout.split()
    children: dict[int, list[int]] = {}
    for child, parent in zip(map(int, listing[::2]), map(int, listing[1::2]), strict=True):
        children.setdefault(parent, []).append(child)
    waiting = [pid]
    while waiting:
        below = children.get(waiting.pop(), [])
        found.update(below)
        waiting.extend(below)
    return found


def alive(pid: int) -> bool:
    """Whether a process of this id runs; one that waits to be reaped does not."""
    state = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, check=False, text=True).stdout
    return bool(state.strip()) and not state.startswith("Z")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
async def test_a_template_runs_and_no_process_outlives_it(template: Path, number: signal.Signals) -> None:
    """A message comes back through a real function, a second API has its own port; no process is left at the end."""
    process = await start("--template", str(template), "--port", "0", "--env", "SUFFIX=@{url}")
    websocket = (await output_until(process, r"websocket +(ws://\S+)"))[1]
    url = websocket.replace("ws://", "http://").removesuffix("/live")
    async with aiohttp.ClientSession() as http, http.get(f"{url}/_emulator/health") as health:
        assert health.status == 200
    second = (await output_until(process, r"websocket +(ws://\S+)"))[1]
    async with connect(second) as client:
        await client.send("hello")
        assert "Forbidden" in str(await asyncio.wait_for(client.recv(), 30))
    async with connect(websocket) as client:
        await client.send("hello")
        assert await asyncio.wait_for(client.recv(), 30) == f"hello@{url}"
        below = descendants(process.pid)
        assert len(below) >= 2
        process.send_signal(number)
        await asyncio.wait_for(process.communicate(), 15)
    if number is signal.SIGKILL:
        # Then the reaper cleans up, a moment later.
        await asyncio.sleep(1)
    else:
        assert process.returncode == 0
    assert {pid for pid in below if alive(pid)} == set()


async def test_a_busy_port_is_one_clear_line(template: Path) -> None:
    """The port is named, exit code 1, no traceback."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        process = await start("--template", str(template), "--port", str(port))
        said, _ = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode == 1
    assert said.decode().splitlines() == [f"emulator: cannot listen on 127.0.0.1:{port}: Address already in use"]


async def test_a_missing_template_is_one_clear_line(tmp_path: Path) -> None:
    """The file is named, exit code 1, no traceback."""
    process = await start("--template", str(tmp_path / "none.yaml"), "--port", "0")
    said, _ = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode == 1
    assert len(said.decode().splitlines()) == 1
    assert "none.yaml" in said.decode()


@pytest.mark.parametrize(
    ("option", "value"),
    [("--lose-events", "Nobody=1"), ("--fault", '{"kind": "event_lost", "function": "Nobody"}')],
)
async def test_a_fault_of_an_unknown_function_is_one_clear_line(template: Path, option: str, value: str) -> None:
    """It and the functions that exist are named, exit code 1, no traceback."""
    process = await start("--template", str(template), "--port", "0", option, value)
    said, _ = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode == 1
    assert said.decode().splitlines() == [f"emulator: {option}: no function Nobody; there are: Echo"]
