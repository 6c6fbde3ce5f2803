"""The emulator as a program, asked over TLS."""

from __future__ import annotations

import os
import socket
import ssl
from pathlib import Path

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
"""


@pytest.fixture
def template(tmp_path: Path) -> Path:
    """An API without a route."""
    path = tmp_path / "template.yaml"
    path.write_text(TEMPLATE)
    return path


def free_port() -> int:
    """A port that nobody listens on just now."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


async def test_the_port_may_be_chosen(template: Path, tmp_path: Path) -> None:
    """With `--tls-port` the first API speaks TLS there, to whom trusts the certificate; that goes with the emulator."""
    port, temporary = free_port(), tmp_path / "temporary"
    temporary.mkdir()
    with running(template, "--tls-port", str(port), environment={**os.environ, "TMPDIR": str(temporary)}):
        (authority,) = temporary.glob("emulator-tls-*/authority.pem")
        trusting = ssl.create_default_context(cafile=str(authority))
        async with opened(f"wss://127.0.0.1:{port}/live", ssl=trusting) as client:
            await client.send_raw("x")
            assert "Forbidden" in await client.text()
    assert not authority.parent.exists()


def test_a_busy_port_is_one_clear_line(template: Path) -> None:
    """If something else listens there, the emulator says so and ends."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        code, lines = refused("--template", str(template), "--tls-port", str(port))
    assert code == 1
    assert f"127.0.0.1:{port}" in "".join(lines)
    assert "Traceback" not in "".join(lines)
