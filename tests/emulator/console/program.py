"""A small application, and the emulator as a program over it."""

from __future__ import annotations

import asyncio
import os
import re
import sys
import textwrap
from asyncio.subprocess import PIPE, STDOUT, Process
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

ROOT = Path(__file__).resolve().parents[3]
START_S = 60.0

TEMPLATE = """
Transform: AWS::Serverless-2016-10-31
Resources:
  Api:
    Type: AWS::Serverless::WebSocketApi
    Properties:
      RouteSelectionExpression: $request.body.action
      StageName: live
      Routes: {$default: {FunctionArn: !GetAtt Echo.Arn}}
  Echo:
    Type: AWS::Serverless::Function
    Properties: {FunctionName: Echo, CodeUri: src, Handler: HANDLER, Runtime: python3.13, Timeout: 10}
  Table:
    Type: AWS::DynamoDB::Table
    Properties:
      TableName: notes
      BillingMode: PAY_PER_REQUEST
      AttributeDefinitions: [{AttributeName: id, AttributeType: S}]
      KeySchema: [{AttributeName: id, KeyType: HASH}]
"""

ECHO = """
import boto3

connections = boto3.client("apigatewaymanagementapi")

def handler(event, context):
    connections.post_to_connection(ConnectionId=event["requestContext"]["connectionId"], Data=event["body"])
    return {"statusCode": 200}
"""


def application(folder: Path, source: str = ECHO, *, handler: str = "app.handler") -> Path:
    """Write `src/app.py` and a template; returns the template."""
    (folder / "src").mkdir(parents=True)
    (folder / "src" / "app.py").write_text(textwrap.dedent(source))
    (folder / "template.yaml").write_text(TEMPLATE.replace("HANDLER", handler))
    return folder / "template.yaml"


async def start(*arguments: str, environment: Mapping[str, str] | None = None) -> Process:
    """Start the emulator on a free port."""
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "emulator", "--port", "0", "--exit-with", str(os.getpid()), *arguments),
        cwd=ROOT, stdout=PIPE, stderr=STDOUT, env={**os.environ, **(environment or {})}, limit=1 << 22,
    )  # fmt: skip


async def refused(*arguments: str) -> tuple[int | None, list[str]]:
    """Start it and wait for its end: exit code and all lines."""
    process = await start(*arguments)
    said, _ = await asyncio.wait_for(process.communicate(), START_S)
    return process.returncode, said.decode().splitlines()


class Running:
    """A started emulator; keeps what it has printed."""

    def __init__(self, process: Process) -> None:
        self.process = process
        self.lines: list[str] = []
        self.websocket = ""
        self._reading = asyncio.create_task(self._read())

    @property
    def url(self) -> str:
        """The HTTP address."""
        return self.websocket.replace("ws", "http", 1).removesuffix("/live")

    async def line(self, pattern: str, *, bound_s: float = START_S) -> re.Match[str]:
        """Wait for a line that matches."""
        async with asyncio.timeout(bound_s):
            while True:
                for line in self.lines:
                    if found := re.search(pattern, line):
                        return found
                if self._reading.done():
                    raise AssertionError(f"no line with {pattern}: {self.lines}")
                await asyncio.sleep(0.01)

    async def invoke(self) -> bytes:
        """Invoke Echo; the answer's payload."""
        client = boto3.client(
            "lambda", endpoint_url=self.url, region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x",
            config=Config(retries={"total_max_attempts": 1}),
        )  # fmt: skip
        answer: Any = await asyncio.to_thread(client.invoke, FunctionName="Echo", Payload=b"{}")
        return bytes(answer["Payload"].read())

    async def end(self) -> None:
        """Ctrl-C."""
        if self.process.returncode is None:
            self.process.terminate()
        await asyncio.wait_for(self.process.wait(), 30)
        await self._reading

    async def _read(self) -> None:
        assert self.process.stdout is not None
        async for raw in self.process.stdout:
            self.lines.append(raw.decode().rstrip("\n"))


@asynccontextmanager
async def running(
    template: Path, *arguments: str, environment: Mapping[str, str] | None = None
) -> AsyncIterator[Running]:
    """The emulator over an application, ended afterwards."""
    emulator = Running(await start("--template", str(template), *arguments, environment=environment))
    try:
        emulator.websocket = (await emulator.line(r"ws://[0-9.:]+/live"))[0]
        yield emulator
    finally:
        await emulator.end()
