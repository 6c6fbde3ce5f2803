"""Nothing leaves the machine, and nothing is left on it."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
from asyncio.subprocess import PIPE, STDOUT, Process
from collections.abc import Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from websockets.asyncio.client import ClientConnection, connect

from tests.emulator.console.program import ROOT, Running, application, start
from tests.emulator.functions.support import eventually
from tests.emulator.traces import addresses, loopback, processes

SLEEPING = """
import time

def handler(event, context):
    print("begun")
    time.sleep(30)
"""

ENDINGS = [
    pytest.param([signal.SIGINT], id="Ctrl-C"),
    pytest.param([signal.SIGINT, signal.SIGINT, signal.SIGINT], id="Ctrl-C thrice"),
    pytest.param([signal.SIGTERM], id="SIGTERM"),
    pytest.param([signal.SIGHUP], id="SIGHUP"),
    pytest.param([signal.SIGKILL], id="SIGKILL"),
]
SOCKETS = 50


@pytest.fixture(autouse=True)
def hearing_of_a_hangup() -> Iterator[None]:
    """Under `nohup` SIGHUP is ignored by whoever is started, and rightly: these tests want to see it obeyed."""
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGHUP, before)


async def _end(process: Process, numbers: list[signal.Signals]) -> None:
    for number in numbers:
        if process.returncode is None:
            process.send_signal(number)
            await asyncio.sleep(0.05)
    await asyncio.wait_for(process.wait(), 20)


async def _nothing_is_left(folder: Path, url: str | None = None) -> None:
    # The reaper outlives a killed emulator by a moment.
    await eventually(lambda: processes(folder) == set(), bound_s=10)
    await eventually(lambda: not any(folder.iterdir()), bound_s=5)
    if url is not None:
        address = urlsplit(url)
        assert address.hostname is not None
        assert address.port is not None
        with socket.socket() as probe:
            assert probe.connect_ex((address.hostname, address.port)) != 0


def _network_apart() -> list[str]:
    """The command that starts another one in a network of its own; empty where that is forbidden."""
    command = ["unshare", "--user", "--map-root-user", "--net"]
    return command if subprocess.run([*command, "true"], check=False, timeout=10).returncode == 0 else []


@pytest.fixture
def temporary(tmp_path: Path) -> Path:
    """Where everything that is started keeps its temporary files."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    return folder


@pytest.mark.parametrize("numbers", ENDINGS)
async def test_amid_an_invocation_with_open_sockets(
    tmp_path: Path, temporary: Path, numbers: list[signal.Signals]
) -> None:
    """With fifty sockets and a function in the middle of its work: no process, file or listening port is left."""
    template = application(tmp_path, SLEEPING)
    emulator = Running(await start("--template", str(template), environment={"TMPDIR": str(temporary)}))
    websocket = (await emulator.line(r"ws://[0-9.:]+/live"))[0]
    async with AsyncExitStack() as stack:
        clients: list[ClientConnection] = [
            await stack.enter_async_context(connect(websocket, close_timeout=1)) for _ in range(SOCKETS)
        ]
        await clients[0].send("hello")
        await emulator.line(r"\| begun")
        assert len(processes(temporary)) >= 4
        await _end(emulator.process, numbers)
    assert emulator.process.returncode == (-signal.SIGKILL if signal.SIGKILL in numbers else 0)
    await _nothing_is_left(temporary, websocket)
    assert not any("Traceback" in line for line in emulator.lines)


@pytest.mark.parametrize("numbers", ENDINGS)
@pytest.mark.parametrize("number", [1, 2, 3])
async def test_amid_the_start(tmp_path: Path, temporary: Path, numbers: list[signal.Signals], number: int) -> None:
    """While it still imports, or as soon as its first or second child is there: nothing of it is left, and nobody sees
    a traceback."""
    template = application(tmp_path)
    process = await start("--template", str(template), environment={"TMPDIR": str(temporary)})
    assert process.stdout is not None
    await eventually(lambda: len(processes(temporary)) >= number, bound_s=30)
    if number == 1:
        await asyncio.sleep(0.3)  # past Python's own start, which Ctrl-C would end with a traceback of its own
    await _end(process, numbers)
    said = (await process.stdout.read()).decode()
    assert "Traceback" not in said
    await _nothing_is_left(temporary)


async def test_every_socket_is_of_the_loopback(tmp_path: Path, temporary: Path) -> None:
    """Of the emulator, its functions and its state: where they listen, and to whom they are connected."""
    template = application(tmp_path)
    emulator = Running(await start("--template", str(template), environment={"TMPDIR": str(temporary)}))
    async with connect((await emulator.line(r"ws://[0-9.:]+/live"))[0]) as client:
        await client.send("hello")
        assert await client.recv() == "hello"
        own, peers = addresses(processes(temporary))
    await emulator.end()
    assert own
    assert {address for address in own | peers if not loopback(address)} == set()


async def test_nothing_asks_for_another_machine(tmp_path: Path) -> None:
    """Where the kernel allows a network of one's own that has only the loopback, a whole run in it works, and no
    packet, a question for a name included, was refused for want of a way out."""
    template = application(tmp_path)
    apart = _network_apart()
    process = await asyncio.create_subprocess_exec(
        *apart, sys.executable, "-m", "tests.emulator.offline", str(template),
        cwd=ROOT, stdout=PIPE, stderr=STDOUT, env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    said, _ = await asyncio.wait_for(process.communicate(), 90)
    assert process.returncode == 0, said.decode()
    if apart:
        assert said.decode().splitlines()[-1] == "refused: 0"
