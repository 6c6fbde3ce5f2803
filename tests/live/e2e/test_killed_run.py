"""A test run that is killed leaves nothing behind."""

import asyncio
import os
import signal
import sys
import time
from asyncio.subprocess import PIPE
from pathlib import Path

import pytest

from tests.emulator.traces import processes
from tests.live.kit.emulator import ROOT

RUN = """
import asyncio, sys, time
from pathlib import Path
from tests.live.kit.chat import Chat
from tests.live.kit.emulator import chatting

async def greet(url):
    async with Chat(url, "somebody") as client:
        assert (await client.ask("ping"))["type"] == "pong"

with chatting(Path(sys.argv[1])) as emulator:
    asyncio.run(greet(emulator.url))
    print("ready", flush=True)
    time.sleep(60)
"""
GONE_S = 15.0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
async def test_its_emulators_end_with_it(application: Path, tmp_path: Path, number: signal.Signals) -> None:
    """Neither fixtures nor `finally` run then: emulator, state, functions and their files go all the same."""
    run = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", RUN, str(application)),
        cwd=ROOT, stdout=PIPE, env={**os.environ, "TMPDIR": str(tmp_path)},
    )  # fmt: skip
    assert run.stdout is not None
    assert await asyncio.wait_for(run.stdout.readline(), 90) == b"ready\n"
    assert len(processes(tmp_path)) >= 4
    run.send_signal(number)
    await run.wait()
    until = time.monotonic() + GONE_S
    while left := _left(tmp_path):
        assert time.monotonic() < until, left
        await asyncio.sleep(0.05)


def _left(folder: Path) -> list[object]:
    return [*processes(folder), *folder.iterdir()]
