"""The front over TLS, as functions reach it."""

from __future__ import annotations

import asyncio
import json
import os
import ssl
import stat
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import pytest
import websockets
from cryptography import x509

from emulator.gateway.http_server import HttpServer, bind
from emulator.processes import Reaper
from emulator.tls import HOST, Tls
from tests.emulator.gateway.harness import running

# The ways in which handlers make requests; each prints the status.
CALLS = {
    "urllib": "import urllib.request; print(urllib.request.urlopen(address).status)",
    "requests": "import requests; print(requests.get(address).status_code)",
    "httpx": "import httpx2; print(httpx2.get(address).status_code)",
    "aiohttp": """
import asyncio, aiohttp
async def ask():
    async with aiohttp.ClientSession(trust_env=True) as session, session.get(address) as answer:
        print(answer.status)
asyncio.run(ask())""",
}
POST = """
import sys, boto3
endpoint, connection = sys.argv[1:]
client = boto3.client("apigatewaymanagementapi", endpoint_url=endpoint)
client.post_to_connection(ConnectionId=connection, Data=b"posted")
"""


@pytest.fixture
def reaper() -> Iterator[Reaper]:
    """A reaper for a test."""
    with Reaper() as started:
        yield started


@pytest.fixture
def tls(reaper: Reaper) -> Iterator[Tls]:
    """A certificate for a test."""
    made = Tls.make(reaper)
    yield made
    made.remove()


@asynccontextmanager
async def secured(tls: Tls) -> AsyncIterator[int]:
    """A gateway that is served over TLS too; gives that port."""
    async with running() as gateway:
        listener = bind(HOST, 0)
        server = HttpServer(gateway.front, listener, tls=tls.context)
        await server.start()
        try:
            yield listener.getsockname()[1]
        finally:
            await server.stop()


async def python(code: str, *arguments: str, tls: Tls | None) -> tuple[int, str]:
    """Runs code in a process of its own, with the variables that a function has or without; exit status and output."""
    bare = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    own = {"AWS_DEFAULT_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x"}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", code, *arguments,
        env={**bare, **own, **(tls.variables() if tls else {})},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    output, _ = await asyncio.wait_for(process.communicate(), 60)
    return process.returncode or 0, output.decode()


async def open_socket(port: int, tls: Tls) -> websockets.ClientConnection:
    """A WebSocket over TLS."""
    trusting = ssl.create_default_context(cafile=str(tls.bundle))
    return await websockets.connect(f"wss://{HOST}:{port}/live", ssl=trusting)


def listed(tls: Tls) -> list[bytes]:
    """The trusted authorities, one PEM each."""
    end = b"-----END CERTIFICATE-----"
    return [part.strip() + b"\n" + end for part in tls.bundle.read_bytes().split(end)[:-1]]


@pytest.mark.parametrize("client", CALLS)
async def test_python_clients_trust_the_certificate(tls: Tls, client: str) -> None:
    """With the functions' variables every usual client of Python accepts the certificate as it is."""
    async with secured(tls) as port:
        code = f"address = 'https://{HOST}:{port}/_emulator/health'\n{CALLS[client]}"
        assert await python(code, tls=tls) == (0, "200\n")


async def test_nobody_else_trusts_it(tls: Tls) -> None:
    """Without those variables the certificate is refused."""
    async with secured(tls) as port:
        status, output = await python(f"address = 'https://{HOST}:{port}/'\n{CALLS['urllib']}", tls=None)
        assert status != 0
        assert "CERTIFICATE_VERIFY_FAILED" in output


async def test_boto3_posts_over_tls(tls: Tls) -> None:
    """A client of `@connections` that is built from an https address reaches the socket."""
    async with secured(tls) as port, await open_socket(port, tls) as socket:
        await socket.send("no route, so that the gateway names the connection")
        connection = json.loads(await asyncio.wait_for(socket.recv(), 10))["connectionId"]
        status, output = await python(POST, f"https://{HOST}:{port}/live", connection, tls=tls)
        assert status == 0, output
        assert await asyncio.wait_for(socket.recv(), 10) == "posted"


async def test_a_socket_lives_over_tls(tls: Tls) -> None:
    """Frames, a message of 100 KB in fragments and the closing handshake work as without TLS."""
    async with secured(tls) as port:
        socket = await open_socket(port, tls)
        part = "x" * 20_000
        await socket.send([part] * 5)
        assert json.loads(await asyncio.wait_for(socket.recv(), 10))["message"] == "Forbidden"
        await socket.close(1000, "done")
        assert socket.close_code == 1000


async def test_the_certificate_is_for_loopback_alone(tls: Tls) -> None:
    """It names 127.0.0.1, ::1 and localhost, and may not sign others."""
    async with secured(tls) as port:
        pem = await asyncio.to_thread(ssl.get_server_certificate, (HOST, port))
    names = x509.load_pem_x509_certificate(pem.encode()).extensions
    alternative = names.get_extension_for_class(x509.SubjectAlternativeName).value
    assert {str(name.value) for name in alternative} == {"127.0.0.1", "::1", "localhost"}
    assert not names.get_extension_for_class(x509.BasicConstraints).value.ca


def test_no_key_stays_on_disk(tls: Tls) -> None:
    """The folder is the owner's alone, and holds certificates and nothing else."""
    assert {*tls.folder.iterdir()} == {tls.bundle, tls.authority}
    assert stat.S_IMODE(tls.folder.stat().st_mode) == 0o700
    assert b"PRIVATE KEY" not in tls.bundle.read_bytes()


def test_other_authorities_stay(reaper: Reaper, monkeypatch: pytest.MonkeyPatch, tls: Tls) -> None:
    """What the developer's shell trusts is trusted still, and nothing is listed twice."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tls.bundle))
    both = Tls.make(reaper)
    try:
        own, *others = listed(both)
    finally:
        both.remove()
    assert own not in listed(tls)
    assert sorted(others) == sorted(set(others)) == sorted(listed(tls))


def test_botocore_trusts_the_emulator_alone(tls: Tls) -> None:
    """It reads its file again and again, so that holds one authority, unless it is to reach AWS itself."""
    assert tls.variables()["AWS_CA_BUNDLE"] == str(tls.authority)
    assert {*tls.variables(aws=True).values()} == {str(tls.bundle)}
    assert listed(tls)[0].strip() == tls.authority.read_bytes().strip()


def test_the_guard_removes_the_folder() -> None:
    """When the emulator ends without tidying up, nothing of it stays."""
    with Reaper() as reaper:
        folder = Tls.make(reaper).folder
        assert folder.is_dir()
    assert not folder.exists()
