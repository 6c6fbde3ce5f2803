"""The emulator as a program, asked over TLS."""

from __future__ import annotations

import asyncio
import os
import socket
import ssl
import sys
import time
from asyncio.subprocess import PIPE, STDOUT, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

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
"""


@pytest.fixture
def template(tmp_path: Path) -> Path:
    """An API without a route."""
    path = tmp_path / "template.yaml"
    path.write_text(TEMPLATE)
    return path


@pytest.fixture
def temporary(tmp_path: Path) -> Path:
    """An empty folder for temporary files."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    return folder


def free_port() -> int:
    """A port that nobody listens on just now."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


@asynccontextmanager
async def emulator(template: Path, temporary: Path, *options: str) -> AsyncIterator[Process]:
    """A program that keeps its temporary files in `temporary`, killed in the end."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "emulator", "--template", str(template), "--port", "0", *options,
        cwd=ROOT, env={**os.environ, "TMPDIR": str(temporary)}, stdout=PIPE, stderr=STDOUT,
    )  # fmt: skip
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def ready(process: Process) -> None:
    """Waits until the banner names the API."""
    assert process.stdout is not None
    async with asyncio.timeout(60):
        while b"websocket" not in (line := await process.stdout.readline()):
            assert line, "it ended"


def trust(temporary: Path) -> ssl.SSLContext:
    """A client's context that trusts the emulator's certificate."""
    (authority,) = temporary.glob("emulator-tls-*/authority.pem")
    return ssl.create_default_context(cafile=str(authority))


def wait_until_gone(temporary: Path) -> None:
    """Waits until no folder of the emulator is left: its reaper outlives it by a moment."""
    until = time.monotonic() + 10
    while left := [*temporary.glob("emulator-*")]:
        assert time.monotonic() < until, left
        time.sleep(0.05)


async def test_the_port_may_be_chosen(template: Path, temporary: Path) -> None:
    """With `--tls-port` the first API speaks TLS there, to whom trusts the certificate."""
    port = free_port()
    async with emulator(template, temporary, "--tls-port", str(port)) as process:
        await ready(process)
        trusting = trust(temporary)
        async with connect(f"wss://127.0.0.1:{port}/live", ssl=trusting) as client:
            await client.send("x")
            assert "Forbidden" in str(await asyncio.wait_for(client.recv(), 10))


async def test_a_busy_port_is_one_clear_line(template: Path, temporary: Path) -> None:
    """If something else listens there, the emulator says so and ends."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        async with emulator(template, temporary, "--tls-port", str(port)) as process:
            output, _ = await asyncio.wait_for(process.communicate(), 60)
            assert process.returncode == 1
            assert f"127.0.0.1:{port}" in output.decode()
            assert "Traceback" not in output.decode()


@pytest.mark.parametrize("end", ["terminate", "kill"])
async def test_nothing_stays(template: Path, temporary: Path, end: str) -> None:
    """The folder with the certificate goes, even if the emulator is killed."""
    async with emulator(template, temporary) as process:
        await ready(process)
        trust(temporary)
        getattr(process, end)()
        await asyncio.wait_for(process.wait(), 20)
        await asyncio.to_thread(wait_until_gone, temporary)
