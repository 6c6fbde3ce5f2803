"""A test runner that is killed leaves nothing behind: what it has started ends with it."""

import asyncio
import os
import signal
import sys
from asyncio.subprocess import PIPE, STDOUT
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from websockets.asyncio.client import connect

from tests.emulator.console.program import ROOT, Running, application
from tests.emulator.functions.support import eventually
from tests.emulator.state.support import BACKENDS, LOCAL_JAR
from tests.emulator.traces import processes

# Starts the emulator as the test kits do, and hands its lines on.
RUNNER = """
import os, subprocess, sys
exit_with = ["--exit-with", str(os.getpid())] if sys.argv[1] == "bound" else []
command = [sys.executable, "-m", "emulator", "--port", "0", *exit_with, *sys.argv[2:]]
with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
    print("emulator", process.pid, flush=True)
    for line in process.stdout:
        print(line, end="", flush=True)
"""
GONE_S = 5.0
"""Less than what a stuck emulator is left before it is killed: this one ends by itself."""


@pytest.fixture
def temporary(tmp_path: Path) -> Path:
    """Where everything that is started keeps its temporary files."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    return folder


@asynccontextmanager
async def runner(folder: Path, temporary: Path, *options: str, bound: bool = True) -> AsyncIterator[Running]:
    """A stand-in test runner that has started an emulator over a small application."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", RUNNER, "bound" if bound else "loose", "--template", str(application(folder))),
        *options,
        cwd=ROOT, stdout=PIPE, stderr=STDOUT, env={**os.environ, "TMPDIR": str(temporary)},
    )  # fmt: skip
    running = Running(process)
    try:
        yield running
    finally:
        for pid in processes(temporary):
            os.kill(pid, signal.SIGKILL)
        await process.wait()


async def echoed(running: Running) -> None:
    """One message through the application: an environment is there then, and frozen."""
    async with connect((await running.line(r"ws://[0-9.:]+/live"))[0]) as client:
        await client.send("hello")
        assert await client.recv() == "hello"


async def gone(temporary: Path, *, within_s: float = GONE_S) -> None:
    """Wait until nothing lives that keeps its files there."""
    async with asyncio.timeout(within_s):
        while processes(temporary):  # noqa: ASYNC110 - nothing tells of their end
            await asyncio.sleep(0.05)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
@pytest.mark.parametrize("backend", BACKENDS)
async def test_all_ends_with_a_killed_runner(
    tmp_path: Path, temporary: Path, backend: str, number: signal.Signals
) -> None:
    """Emulator, what keeps its state, a frozen environment and the reaper are gone within seconds, their files too."""
    tables = ("--dynamodb-jar", LOCAL_JAR) if backend == "dynamodb-local" else ()
    async with runner(tmp_path, temporary, *tables) as running:
        await echoed(running)
        assert len(processes(temporary)) >= 5
        running.process.send_signal(number)
        await gone(temporary)
        await eventually(lambda: not any(temporary.iterdir()), bound_s=1)


async def test_without_the_option_the_emulator_lives_on(tmp_path: Path, temporary: Path) -> None:
    """It is the option that ends it: who starts it by hand in the background keeps it."""
    async with runner(tmp_path, temporary, bound=False) as running:
        await echoed(running)
        there = processes(temporary) - {running.process.pid}
        running.process.kill()
        await asyncio.sleep(GONE_S / 2)
        assert processes(temporary) >= there


async def test_a_runner_killed_amid_the_start(tmp_path: Path, temporary: Path) -> None:
    """The emulator that still imports what it needs finds its runner gone, and ends."""
    async with runner(tmp_path, temporary) as running:
        await running.line("emulator [0-9]+")
        running.process.kill()
        await gone(temporary, within_s=6 * GONE_S)  # of which the imports take the most beside others


async def test_a_stopped_emulator_ends_too(tmp_path: Path, temporary: Path) -> None:
    """One that takes no signal but SIGKILL gets it after a moment, and its children end as well."""
    async with runner(tmp_path, temporary) as running:
        await echoed(running)
        pid = int((await running.line("emulator ([0-9]+)"))[1])
        os.kill(pid, signal.SIGSTOP)
        running.process.kill()
        await gone(temporary, within_s=4 * GONE_S)
